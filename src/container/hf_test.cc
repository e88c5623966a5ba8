#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "container/folder_fixture.h"
#include "number/half.h"

namespace zp {
namespace {

const Container& hf() { return find_container("hf"); }

TEST(Hf, WritesTheCheckpointsNamesAndTypes) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  f.add(Role::output_norm, "norm.weight", 1, 12);
  f.config["dtype"] = "float32";
  const auto files = written(hf().layout(f.input(), f.assign({}, "bf16")));
  const Buffer& file = files.at("model.safetensors");
  EXPECT_EQ(safetensors::read_header(file, "file").metadata.at("format"), "pt");
  const auto embed = tensor_of(file, "hf.embed.weight");
  ASSERT_EQ(embed.shape, (std::vector<std::int64_t>{8, 12}));
  ASSERT_EQ(embed.dtype, DType::bf16);
  EXPECT_EQ(tensor_of(file, "hf.norm.weight").shape, std::vector<std::int64_t>{12});
  std::vector<float> values(8 * 12);
  f.model.weights[0].rows->read(0, 8, values.data());
  for (std::int64_t i = 0; i < 8 * 12; ++i) {
    ASSERT_EQ(element<std::uint16_t>(file, embed, i),
              float_to_bf16(values[static_cast<std::size_t>(i)]));
  }
  EXPECT_EQ(json_of(files.at("config.json"))["dtype"], "bfloat16");
}

TEST(Hf, PutsTransposedWeightsBackAsTheCheckpointHasThem) {
  FolderFixture f("fp32");
  f.add(Role::qkv, "c_attn.weight", 6, 4).use.transposed = true;
  const Buffer file = written(hf().layout(f.input(), f.assign({}, "fp32"))).at("model.safetensors");
  const auto t = tensor_of(file, "hf.c_attn.weight");
  ASSERT_EQ(t.shape, (std::vector<std::int64_t>{4, 6}));
  std::vector<float> values(6 * 4);
  f.model.weights[0].rows->read(0, 6, values.data());
  for (std::int64_t r = 0; r < 6; ++r) {
    for (std::int64_t c = 0; c < 4; ++c) {
      EXPECT_EQ(element<float>(file, t, c * 6 + r), values[static_cast<std::size_t>(r * 4 + c)]);
    }
  }
}

TEST(Hf, HoldsThreeFloatingTypesOnly) {
  const TensorUse use;
  for (const char* spec : {"fp32", "fp16", "bf16"})
    EXPECT_TRUE(hf().accepts(*make_grid(spec), use).possible);
  for (const char* spec : {"fp64", "fp8_e4m3", "int8:channel:sym:s32", "q8_0"}) {
    EXPECT_FALSE(hf().accepts(*make_grid(spec), use).possible) << spec;
  }
}

TEST(Hf, OfAModelOfSeveralPartsWritesAll) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  const Json whole = {{"architectures", {"Gemma3ForConditionalGeneration"}},
                      {"model_type", "gemma3"},
                      {"auto_map", {{"AutoConfig", "code.py"}}},
                      {"dtype", "bfloat16"},
                      {"quantization_config", {{"quant_method", "awq"}}},
                      {"text_config", {{"model_type", "gemma3_text"}, {"torch_dtype", "bfloat16"}}},
                      {"vision_config", {{"depth", 1}, {"dtype", "bfloat16"}}}};
  const std::map<std::string, std::string> names = {
      {"hf.embed.weight", "language_model.hf.embed.weight"}};
  const Buffer bytes(24);
  const Tensor tower = stored_tensor("vision_tower.weight", "fp32", {2, 3}, bytes);
  const Beside beside{{{"vision tower", &tower}}, &whole, &names};
  ContainerInput input = f.input();
  input.beside = &beside;
  const auto files = written(hf().layout(input, f.assign({}, "fp32")));
  EXPECT_EQ(
      tensor_of(files.at("model-00001-of-00002.safetensors"), "language_model.hf.embed.weight")
          .shape,
      (std::vector<std::int64_t>{8, 12}));
  EXPECT_EQ(tensor_of(files.at("model-00002-of-00002.safetensors"), "vision_tower.weight").shape,
            (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(json_of(files.at("config.json")),
            Json({{"architectures", {"Gemma3ForConditionalGeneration"}},
                  {"model_type", "gemma3"},
                  {"auto_map", {{"AutoConfig", "code.py"}}},
                  {"dtype", "float32"},
                  {"text_config", {{"model_type", "gemma3_text"}, {"torch_dtype", "float32"}}},
                  {"vision_config", {{"depth", 1}, {"dtype", "bfloat16"}}},
                  {"tie_word_embeddings", false}}));
}

TEST(Hf, SaysHowManyLayersPredictFurtherTokensWhereTheyAreThere) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  f.config["num_nextn_predict_layers"] = 1;
  const auto stated = [&](const ContainerInput& input) {
    const auto files = written(hf().layout(input, f.assign({}, "fp32")));
    return json_of(files.at("config.json"))["num_nextn_predict_layers"];
  };
  EXPECT_EQ(stated(f.input()), 0);
  const Buffer bytes(24);
  const Tensor layer = stored_tensor("model.layers.2.enorm.weight", "fp32", {6}, bytes);
  const Beside beside{{{"multi-token prediction", &layer}}};
  ContainerInput input = f.input();
  input.beside = &beside;
  EXPECT_EQ(stated(input), 1);
}

TEST(Hf, SpeaksOfTheWeightsItWrites) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  f.model.decoder.tied = true;
  f.config["quantization_config"] = {{"quant_method", "awq"}};
  f.config["auto_map"] = {{"AutoConfig", "code.py"}};
  f.config["hidden_size"] = 12;
  const Json config =
      json_of(written(hf().layout(f.input(), f.assign({}, "fp16"))).at("config.json"));
  EXPECT_EQ(config, Json({{"model_type", "llama"},
                          {"hidden_size", 12},
                          {"torch_dtype", "float16"},
                          {"tie_word_embeddings", true}}));
}

TEST(Hf, NamesTheClassWithItsHead) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  f.config["architectures"] = {"LlamaModel"};
  const Json config =
      json_of(written(hf().layout(f.input(), f.assign({}, "fp16"))).at("config.json"));
  EXPECT_EQ(config["architectures"], Json::array({"LlamaForCausalLM"}));
}

TEST(Hf, CopiesTheTokenizersFilesAndLicencesThatAreThere) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  f.folder = std::filesystem::path(testing::TempDir()) / "hf_companions";
  std::filesystem::create_directories(f.folder / "vocab.json");  // a folder is no file
  std::ofstream(f.folder / "tokenizer.json") << "{}";
  std::ofstream(f.folder / "model.safetensors") << "not copied";
  std::ofstream(f.folder / "LICENSE.md") << "Do as you please.";
  const Layout layout = hf().layout(f.input(), f.assign({}, "fp16"));
  ASSERT_EQ(layout.files.size(), 4u);
  EXPECT_EQ(layout.files[3].copy_of, f.folder / "LICENSE.md");
  EXPECT_EQ(layout.files[2].name, "tokenizer.json");
  EXPECT_EQ(layout.files[2].copy_of, f.folder / "tokenizer.json");
  EXPECT_EQ(layout.files[2].bytes, 2);
  std::filesystem::remove_all(f.folder);
}

TEST(Hf, OfASourceThatIsNoFolderGenerationHasItsEnds) {
  FolderFixture f("fp32");
  f.add(Role::embedding, "embed.weight", 8, 12);
  Tokenizer tokenizer;
  tokenizer.tokens = {{"<s>"}, {"</s>"}, {"<|im_end|>"}};
  tokenizer.bos = 0;
  tokenizer.eos = 1;
  const Json generation = {{"eos_token_id", {2, 1}}, {"top_k", 20}};
  const auto generation_config = [&](const std::filesystem::path& folder) {
    const ContainerInput input{f.model, &tokenizer, f.config, generation, folder, "tiny", {}};
    const auto files = written(hf().layout(input, f.assign({}, "fp16")));
    return files.contains("generation_config.json") ? json_of(files.at("generation_config.json"))
                                                    : Json();
  };
  EXPECT_EQ(generation_config({}),
            Json({{"bos_token_id", 0}, {"eos_token_id", {1, 2}}, {"top_k", 20}}));
  EXPECT_EQ(generation_config("a folder without one"), Json());
}

}  // namespace
}  // namespace zp
