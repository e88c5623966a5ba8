#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "container/folder_fixture.h"
#include "number/half.h"

namespace zp {
namespace {

const Container& mlx() { return find_container("mlx"); }

FolderFixture tiny(const std::string& stored_type) {
  FolderFixture f(stored_type);
  f.add(Role::embedding, "embed_tokens.weight", 24, 128);
  f.add(Role::attention_norm, "layers.0.norm.weight", 1, 128);
  f.add(Role::query, "layers.0.q.weight", 64, 128);
  f.add(Role::query, "layers.0.q.bias", 1, 64, Part::bias);
  f.add(Role::down, "layers.0.down.weight", 128, 172);
  return f;
}

// What the pipeline does: the first rule that matches by role, the fallback where it can't be held.
std::vector<Assignment> chosen(const FolderFixture& f, const std::string& grid) {
  std::vector<Assignment> all;
  const std::vector<Rule> rules = mlx().rules(grid, f.input());
  for (const Weight& w : f.model.weights) {
    const bool first = !w.use.is_matrix();
    std::shared_ptr<const Grid> g = make_grid(first ? rules.front().grid : rules.back().grid);
    if (!mlx().accepts(*g, w.use).possible) g = make_grid(mlx().fallback(*g, w));
    all.push_back({&w, std::move(g)});
  }
  return all;
}

std::uint32_t code_at(const Buffer& file, const safetensors::TensorInfo& t, std::int64_t row,
                      std::int64_t j, int bits) {
  const std::int64_t row_bits = t.shape[1] * 32;
  std::uint32_t code = 0;
  for (int b = 0; b < bits; ++b) {
    const std::int64_t bit = row * row_bits + j * bits + b;
    code |= (element<std::uint32_t>(file, t, bit / 32) >> (bit % 32) & 1) << b;
  }
  return code;
}

float bf16(float v) { return bf16_to_float(float_to_bf16(v)); }

TEST(Mlx, LaysOutWhatMlxDequantizesToTheGridsValues) {
  const FolderFixture f = tiny("bf16");
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int group : {32, 64, 128}) {
      const std::string spec = "int" + std::to_string(bits) + ":g" + std::to_string(group);
      const std::vector<Assignment> grids = chosen(f, spec);
      const Layout layout = mlx().layout(f.input(), grids);
      const Buffer file = written(layout).at("model.safetensors");
      const auto codes = tensor_of(file, "mlx.layers.0.q.weight");
      const auto scales = tensor_of(file, "mlx.layers.0.q.scales");
      const auto biases = tensor_of(file, "mlx.layers.0.q.biases");
      ASSERT_EQ(codes.shape, (std::vector<std::int64_t>{64, 128 * bits / 32})) << spec;
      ASSERT_EQ(codes.dtype, DType::u32);
      ASSERT_EQ(scales.shape, (std::vector<std::int64_t>{64, 128 / group}));
      ASSERT_EQ(biases.shape, scales.shape);
      ASSERT_EQ(scales.dtype, DType::bf16);
      ASSERT_EQ(biases.dtype, DType::bf16);
      const Grid& grid = *grids[2].grid;
      const std::array<const std::byte*, 3> planes = {
          file.data() + codes.begin, file.data() + scales.begin, file.data() + biases.begin};
      std::vector<float> decoded(64 * 128);
      grid.decode(planes, {decoded.data(), 64, 128});
      std::vector<float> source(64 * 128);
      f.model.weights[2].rows->read(0, 64, source.data());
      for (std::int64_t g = 0; g < 64 * 128 / group; ++g) {
        const float lowest =
            *std::min_element(source.begin() + g * group, source.begin() + (g + 1) * group);
        ASSERT_EQ(element<std::uint16_t>(file, biases, g), float_to_bf16(lowest))
            << spec << " group " << g;
      }
      for (std::int64_t i = 0; i < 64 * 128; ++i) {
        const std::int64_t g = i / group;
        const float s = bf16_to_float(element<std::uint16_t>(file, scales, g));
        const float b = bf16_to_float(element<std::uint16_t>(file, biases, g));
        const auto q = static_cast<float>(code_at(file, codes, i / 128, i % 128, bits));
        ASSERT_EQ(decoded[static_cast<std::size_t>(i)], bf16(bf16(s * q) + b))
            << spec << " weight " << i;
      }
    }
  }
}

TEST(Mlx, KeepsNormsAndBiasesInTheModelsTypeAsVectors) {
  for (const auto& [stored, dtype] : {std::pair{"bf16", DType::bf16},
                                      {"fp16", DType::f16},
                                      {"fp32", DType::f32},
                                      {"fp64", DType::f32}}) {
    const FolderFixture f = tiny(stored);
    const Buffer file =
        written(mlx().layout(f.input(), chosen(f, "int4:g64"))).at("model.safetensors");
    EXPECT_EQ(tensor_of(file, "mlx.layers.0.norm.weight").dtype, dtype) << stored;
    EXPECT_EQ(tensor_of(file, "mlx.layers.0.norm.weight").shape, std::vector<std::int64_t>{128});
    EXPECT_EQ(tensor_of(file, "mlx.layers.0.q.bias").dtype, dtype);
    EXPECT_EQ(tensor_of(file, "mlx.layers.0.q.scales").dtype, dtype);
    EXPECT_EQ(tensor_of(file, "mlx.embed_tokens.scales").dtype, dtype);
  }
}

TEST(Mlx, LeavesRowsThatGroupsDontDivideInTheModelsType) {
  const FolderFixture f = tiny("fp16");
  const auto files = written(mlx().layout(f.input(), chosen(f, "int4:g64")));
  const auto down = tensor_of(files.at("model.safetensors"), "mlx.layers.0.down.weight");
  EXPECT_EQ(down.dtype, DType::f16);
  EXPECT_EQ(down.shape, (std::vector<std::int64_t>{128, 172}));
  const Json quantization = json_of(files.at("config.json"))["quantization"];
  EXPECT_EQ(
      quantization,
      Json({{"group_size", 64}, {"bits", 4}, {"mode", "affine"}, {"mlx.layers.0.down", false}}));
  EXPECT_EQ(mlx().accepts(*make_grid("int4:g64:min:s16"), f.model.weights[4].use).why,
            "172 columns are no multiple of 64");
}

TEST(Mlx, AcceptsOnlyWhatTheRuntimeComputes) {
  const FolderFixture f = tiny("bf16");
  const TensorUse& matrix = f.model.weights[2].use;
  const TensorUse& norm = f.model.weights[1].use;
  for (const char* spec :
       {"int2:g32:min:s32", "int3:g64:min:s16", "int8:g128:min:sbf16", "fp32", "fp16", "bf16"}) {
    EXPECT_TRUE(mlx().accepts(*make_grid(spec), matrix).possible) << spec;
  }
  for (const char* spec :
       {"int7:g32:min:s32", "int4:g16:min:s32", "int4:g32:sym:s32", "int4:g32:zero:s32",
        "int4:channel:min:s32", "int4:g32:min:pow2", "int16:g32:min:s32", "fp64"}) {
    const auto grid = make_grid(spec);
    EXPECT_FALSE(mlx().accepts(*grid, matrix).possible) << spec;
    EXPECT_EQ(mlx().fallback(*grid, f.model.weights[2]), "") << spec;
  }
  EXPECT_FALSE(mlx().accepts(*make_grid("int4:g32:min:sbf16"), norm).possible);
  EXPECT_TRUE(mlx().accepts(*make_grid("bf16"), norm).possible);
}

TEST(Mlx, FillsInItsNativeForm) {
  EXPECT_EQ(make_grid("int4", mlx().affine_defaults("bf16"))->spec(), "int4:g64:min:sbf16");
  EXPECT_EQ(make_grid("int6:g32", mlx().affine_defaults("fp16"))->spec(), "int6:g32:min:s16");
  EXPECT_EQ(make_grid("int4:g64", mlx().affine_defaults("fp32"))->spec(), "int4:g64:min:s32");
}

TEST(Mlx, TakesTheTypeOfMostWeightsForAll) {
  FolderFixture f = tiny("bf16");
  f.model.weights[1].stored_type = "fp32";
  const std::vector<Rule> rules = mlx().rules("int4:g64", f.input());
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].grid, "bf16");
  EXPECT_EQ(rules[1].grid, "int4:g64:min:sbf16");
  // An explicit scale type decides for the model.
  EXPECT_EQ(mlx().rules("int4:g64:min:s32", f.input())[0].grid, "fp32");
  EXPECT_EQ(mlx().rules("fp16", f.input()).size(), 1u);
}

TEST(Mlx, DescribesMixedPrecisionPerModule) {
  const FolderFixture f = tiny("bf16");
  const auto grids = f.assign({{Role::embedding, "int8:g32:min:sbf16"},
                               {Role::query, "int4:g64:min:sbf16"},
                               {Role::down, "bf16"}},
                              "bf16");
  std::vector<Assignment> fixed = grids;
  fixed[3].grid = make_grid("bf16");
  const Json config = json_of(written(mlx().layout(f.input(), fixed)).at("config.json"));
  const Json expected = {
      {"group_size", 64},
      {"bits", 4},
      {"mode", "affine"},
      {"mlx.embed_tokens", {{"group_size", 32}, {"bits", 8}, {"mode", "affine"}}},
      {"mlx.layers.0.down", false}};
  EXPECT_EQ(config["quantization"], expected);
  EXPECT_EQ(config["quantization_config"], expected);
}

TEST(Mlx, SaysNothingOfQuantizationInFloatingPoint) {
  FolderFixture f = tiny("fp32");
  f.config["quantization_config"] = {{"quant_method", "gptq"}};
  const Json config =
      json_of(written(mlx().layout(f.input(), f.assign({}, "fp16"))).at("config.json"));
  EXPECT_FALSE(config.contains("quantization"));
  EXPECT_FALSE(config.contains("quantization_config"));
  EXPECT_EQ(config["torch_dtype"], "float16");
}

TEST(Mlx, KeepsEveryTensorAlignedToItsElement) {
  FolderFixture f("bf16");
  f.add(Role::output_norm, "norm.weight", 1, 33);
  f.add(Role::query, "q.weight", 3, 32);
  f.add(Role::up, "up.weight", 5, 96);
  std::vector<Assignment> grids = f.assign({{Role::output_norm, "bf16"}}, "int3:g32:min:sbf16");
  const Buffer file = written(mlx().layout(f.input(), grids)).at("model.safetensors");
  const safetensors::Header header = safetensors::read_header(file, "file");
  EXPECT_EQ(header.metadata.at("format"), "mlx");
  EXPECT_EQ(header.tensors.size(), 7u);
  for (const auto& t : header.tensors) EXPECT_EQ(t.begin % info(t.dtype).bytes, 0) << t.name;
}

TEST(Mlx, RefusesASourceWithoutConfig) {
  FolderFixture f = tiny("fp32");
  f.config = nullptr;
  const auto grids = f.assign({}, "fp32");
  EXPECT_THROW(mlx().layout(f.input(), grids), Error);
}

}  // namespace
}  // namespace zp
