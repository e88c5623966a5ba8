#include "container/quantized_folder.h"

#include <gtest/gtest.h>

#include "container/folder_fixture.h"

namespace zp {
namespace {

const Container& compressed() { return find_container("hf-compressed"); }

FolderFixture tiny() {
  FolderFixture f("bf16");
  f.add(Role::embedding, "embed.weight", 16, 128);
  f.add(Role::attention_norm, "layers.0.norm.weight", 1, 128);
  f.add(Role::query, "layers.0.q.weight", 8, 128);
  f.add(Role::query, "layers.0.q.bias", 1, 8, Part::bias);
  f.add(Role::down, "layers.0.down.weight", 128, 96);
  f.add(Role::router, "layers.0.router.weight", 4, 128);
  f.add(Role::head, "head.weight", 16, 128);
  return f;
}

// By the container's rules and fallbacks, with exceptions by role.
std::vector<Assignment> chosen(const Container& container, const FolderFixture& f,
                               const std::string& grid, std::map<Role, std::string> asked = {}) {
  std::vector<Assignment> all;
  const std::vector<Rule> rules = container.rules(grid, f.input());
  for (const Weight& w : f.model.weights) {
    const Role role = w.use.place.role;
    const bool coded = w.use.is_matrix() && (role == Role::query || role == Role::down);
    std::shared_ptr<const Grid> g = make_grid(coded ? rules.back().grid : rules.front().grid);
    if (coded && asked.contains(role))
      g = make_grid(asked[role], container.affine_defaults(w.stored_type));
    if (!container.accepts(*g, w.use).possible) g = make_grid(container.fallback(*g, w));
    all.push_back({&w, std::move(g)});
  }
  return all;
}

TEST(HfCompressed, WritesAModulesPartsAndWhatTheyAre) {
  const FolderFixture f = tiny();
  const auto files =
      written(compressed().layout(f.input(), chosen(compressed(), f, "int4:g32:zero")));
  const Buffer& file = files.at("model.safetensors");
  const auto shape_of = [&](const char* name) { return tensor_of(file, name).shape; };
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(shape_of("hf.layers.0.q.weight_packed"), (Shape{8, 16}));
  EXPECT_EQ(shape_of("hf.layers.0.q.weight_scale"), (Shape{8, 4}));
  EXPECT_EQ(shape_of("hf.layers.0.q.weight_zero_point"), (Shape{1, 4}));
  const auto shape = tensor_of(file, "hf.layers.0.q.weight_shape");
  EXPECT_EQ(shape.dtype, DType::i64);
  EXPECT_EQ(element<std::int64_t>(file, shape, 0), 8);
  EXPECT_EQ(element<std::int64_t>(file, shape, 1), 128);
  EXPECT_EQ(tensor_of(file, "hf.layers.0.q.bias").dtype, DType::bf16);
  EXPECT_EQ(tensor_of(file, "hf.head.weight").dtype, DType::bf16);
  const Json stated = json_of(files.at("config.json"))["quantization_config"];
  EXPECT_EQ(stated["format"], "pack-quantized");
  EXPECT_EQ(stated["ignore"], Json({"hf.layers.0.router", "hf.head"}));
  const Json& group = stated["config_groups"]["group_0"];
  EXPECT_EQ(group["targets"], Json::array({"Linear"}));
  EXPECT_EQ(group["weights"]["group_size"], 32);
  EXPECT_EQ(group["weights"]["symmetric"], false);
}

TEST(HfCompressed, NamesModulesOnOtherGridsBeforeTheRest) {
  const FolderFixture f = tiny();
  const auto grids = chosen(compressed(), f, "mxfp4", {{Role::query, "int8:channel"}});
  const Layout layout = compressed().layout(f.input(), grids);
  const Json stated = json_of(written(layout).at("config.json"))["quantization_config"];
  EXPECT_EQ(stated["format"], "mixed-precision");
  const Json& groups = stated["config_groups"];
  EXPECT_EQ(groups["group_0"]["targets"], Json::array({"hf.layers.0.q"}));
  EXPECT_EQ(groups["group_0"]["input_activations"]["dynamic"], true);
  EXPECT_EQ(groups["group_1"]["targets"], Json::array({"Linear"}));
  EXPECT_EQ(groups["group_1"]["input_activations"], Json());
  ASSERT_EQ(layout.notes.size(), 1u);
  EXPECT_NE(layout.notes[0].find("W8A8"), std::string::npos);
}

TEST(HfCompressed, LeavesRowsThatGroupsDontDivideInTheModelsType) {
  const FolderFixture f = tiny();
  const auto files = written(compressed().layout(f.input(), chosen(compressed(), f, "int4:g128")));
  EXPECT_EQ(tensor_of(files.at("model.safetensors"), "hf.layers.0.down.weight").dtype, DType::bf16);
  const Json stated = json_of(files.at("config.json"))["quantization_config"];
  EXPECT_EQ(stated["ignore"], Json({"hf.layers.0.down", "hf.layers.0.router", "hf.head"}));
}

TEST(HfCompressed, SaysNothingOfQuantizationInFloatingPoint) {
  const FolderFixture f = tiny();
  const auto files = written(compressed().layout(f.input(), chosen(compressed(), f, "bf16")));
  EXPECT_FALSE(json_of(files.at("config.json")).contains("quantization_config"));
}

TEST(HfCompressed, AcceptsLinearsOnly) {
  const FolderFixture f = tiny();
  const auto why = [&](std::size_t weight) {
    return compressed().accepts(*make_grid("int4:g32:sym:s16"), f.model.weights[weight].use).why;
  };
  EXPECT_EQ(why(2), "");
  for (const std::size_t other : {0, 1, 3, 5})
    EXPECT_EQ(why(other), "only linear layers are quantized there");
  TensorUse conv1d = f.model.weights[2].use;
  conv1d.transposed = true;
  EXPECT_FALSE(compressed().accepts(*make_grid("mxfp4"), conv1d).possible);
}

}  // namespace
}  // namespace zp
