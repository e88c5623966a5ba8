// A container whose words run across rows, written by the run: int4 as AutoAWQ packs it.
//
//   X.qweight  int32 [in, out / 8]      nibbles 0, 4, 1, 5, 2, 6, 3, 7 of word c are outputs 8c ...
//   X.qzeros   int32 [in / 32, out / 8] alike
//   X.scales   FP16  [in / 32, out]
#include <gtest/gtest.h>

#include <filesystem>

#include "base/mapped_file.h"
#include "container/checkpoint_folder.h"
#include "container/folder_fixture.h"
#include "pipeline/run.h"

namespace zp {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kGroup = 32;
constexpr const char* kGrid = "uint4:g32:zero:s16";

class Awq final : public Container {
 public:
  std::string_view name() const override { return "awq"; }
  std::string_view summary() const override { return "for this test"; }
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return false; }
  std::string_view default_grid() const override { return kGrid; }
  AffineForm affine_defaults(std::string_view) const override { return {}; }
  std::vector<Rule> rules(std::string_view grid, const ContainerInput&) const override {
    return {{"", std::string(grid), "what was asked for"}};
  }
  Verdict accepts(const Grid&, const TensorUse&) const override { return {true, {}}; }
  std::string fallback(const Grid&, const Weight&) const override { return {}; }

  Layout layout(const ContainerInput&, std::span<const Assignment> all) const override {
    const PlaneForm packed{
        .along = WordsAlong::column, .transposed = true, .order = {0, 2, 4, 6, 1, 3, 5, 7}};
    const PlaneForm turned{.transposed = true};
    std::vector<FolderTensor> tensors;
    for (const Assignment& a : all) {
      const std::string& path = a.weight->use.hf;
      tensors.push_back({a.weight,
                         a.weight->rows,
                         a.grid,
                         {{path + ".qweight", DType::i32, packed},
                          {path + ".scales", DType::f16, turned},
                          {path + ".qzeros", DType::i32, packed}}});
    }
    return folder_layout(tensors, {});
  }
};

class PackedWords : public testing::Test {
 protected:
  PackedWords() : model_("fp32") {
    model_.add(Role::up, "wide", 520, 1536);
    model_.add(Role::down, "narrow", 8, 32);
    model_.add(Role::query, "tall", 4096, 64);
  }

  // The file that so many threads write.
  Buffer written(int threads) const {
    const fs::path path =
        fs::temp_directory_path() / ("zeropoint_packed_words_" + std::to_string(threads));
    const Awq container;
    Plan plan;
    plan.model = &model_.model;
    plan.coder = make_coder("nearest");
    PlannedOutput& output = plan.outputs.emplace_back();
    output.container = &container;
    output.path = path;
    output.layout = container.layout(model_.input(), model_.assign({}, kGrid));
    Silent silent;
    run_plan(plan, true, Team(threads), silent);
    const MappedFile file(path / "model.safetensors");
    Buffer bytes(file.bytes().begin(), file.bytes().end());
    fs::remove_all(path);
    return bytes;
  }

  FolderFixture model_;
};

TEST_F(PackedWords, AreTheSameFromEveryNumberOfThreads) {
  const Buffer alone = written(1);
  EXPECT_EQ(written(3), alone);
  EXPECT_EQ(written(3), alone);
}

TEST_F(PackedWords, HoldTheCodesOfTheGrid) {
  constexpr std::array<int, 8> kUndo = {0, 4, 1, 5, 2, 6, 3, 7};
  const Buffer file = written(3);
  for (const Weight& weight : model_.model.weights) {
    const std::int64_t out = weight.use.rows;
    const std::int64_t in = weight.use.cols;
    const std::int64_t groups = in / kGroup;
    const auto qweight = tensor_of(file, weight.use.hf + ".qweight");
    const auto qzeros = tensor_of(file, weight.use.hf + ".qzeros");
    const auto scales = tensor_of(file, weight.use.hf + ".scales");
    EXPECT_EQ(qweight.shape, (std::vector<std::int64_t>{in, out / 8}));
    EXPECT_EQ(qzeros.shape, (std::vector<std::int64_t>{groups, out / 8}));
    EXPECT_EQ(scales.shape, (std::vector<std::int64_t>{groups, out}));
    const auto nibble = [&](const safetensors::TensorInfo& tensor, std::int64_t i, std::int64_t o) {
      const auto word = element<std::uint32_t>(file, tensor, i * (out / 8) + o / 8);
      return static_cast<Code>(word >> (4 * kUndo[static_cast<std::size_t>(o % 8)]) & 15);
    };

    const TensorJob job{"", &weight, weight.rows, make_grid(kGrid), {}};
    const PlaneBuffers planes = nearest_planes(job);
    const auto stored = [&](std::size_t plane, std::int64_t elements, std::int64_t o,
                            std::int64_t i) {
      const auto at = static_cast<std::size_t>(o * ((elements + 1) / 2) + i / 2);
      return std::to_integer<Code>(planes[plane][at]) >> (4 * (i % 2)) & 15;
    };
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t i = 0; i < in; ++i) ASSERT_EQ(nibble(qweight, i, o), stored(0, in, o, i));
      for (std::int64_t g = 0; g < groups; ++g) {
        ASSERT_EQ(nibble(qzeros, g, o), stored(2, groups, o, g));
        std::uint16_t scale;
        std::memcpy(&scale, planes[1].data() + 2 * (o * groups + g), sizeof scale);
        ASSERT_EQ(element<std::uint16_t>(file, scales, g * out + o), scale);
      }
    }
  }
}

}  // namespace
}  // namespace zp
