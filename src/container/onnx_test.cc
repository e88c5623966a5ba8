#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/json.h"
#include "container/folder_fixture.h"
#include "container/onnx_ops.h"
#include "container/sample_decoder.h"
#include "number/integer.h"

namespace zp {
namespace {

const Container& onnx_container() { return find_container("onnx"); }

onnx::Model graph_of(const std::map<std::string, Buffer>& files) {
  return onnx::read(files.at("model.onnx"), "model.onnx");
}

TEST(Onnx, EveryValueIsThereBeforeItIsTaken) {
  for (const std::string& config : {kLlama, kGpt2, kGemma2}) {
    for (const char* grid : {"fp32", "bf16", "int4:g16", "uint8:g32:sym:s16", "nf4:g32"}) {
      const Sample sample(config);
      const auto files = written(sample.layout(onnx_container(), grid));
      const onnx::Model graph = graph_of(files);
      std::set<std::string> there = {""};
      for (const auto& t : graph.initializers) EXPECT_TRUE(there.insert(t.name).second) << t.name;
      for (const auto& v : graph.inputs) EXPECT_TRUE(there.insert(v.name).second) << v.name;
      std::set<std::string> taken, names;
      for (const GraphNode& node : graph.nodes) {
        EXPECT_TRUE(names.insert(node.name).second) << node.name;
        for (const std::string& name : node.inputs) {
          EXPECT_TRUE(there.contains(name)) << node.name << " takes " << name;
          taken.insert(name);
        }
        for (const std::string& name : node.outputs) there.insert(name);
      }
      for (const auto& v : graph.outputs) EXPECT_TRUE(there.contains(v.name)) << v.name;
      for (const auto& t : graph.initializers) EXPECT_TRUE(taken.contains(t.name)) << t.name;
    }
  }
}

TEST(Onnx, CodesAreThoseOfTheGridCountedFromTheLowest) {
  const Sample sample(kLlama);
  for (const char* spec : {"int4:g16:zero", "int8:g32:sym", "int2:g16:zero", "uint4:g32:zero"}) {
    const Layout layout = sample.layout(onnx_container(), spec);
    const auto files = written(layout);
    const Buffer& data = files.at("model.onnx.data");
    for (const TensorJob& job : layout.jobs) {
      const AffineForm* form = onnx_form(*job.grid);
      if (form == nullptr) continue;
      for (const std::size_t plane : {0, 2}) {
        if (plane >= job.planes.size()) continue;
        const PlaneBuffers planes = nearest_planes(job);
        std::vector<std::int32_t> own(planes[plane].size() * 8 /
                                      static_cast<std::size_t>(form->bits));
        std::vector<std::int32_t> there(own.size());
        unpack_bits(planes[plane].data(), form->bits, form->is_signed, own);
        unpack_bits(data.data() + job.planes[plane].offset, form->bits, false, there);
        const int lowest = form->is_signed ? -(1 << (form->bits - 1)) : 0;
        for (std::size_t i = 0; i < own.size(); ++i) ASSERT_EQ(there[i], own[i] - lowest) << spec;
      }
    }
  }
}

TEST(Onnx, TiedMatrixLiesInTheFileOnce) {
  const Sample sample(kLlama);
  const Layout layout = sample.layout(onnx_container(), "int4:g32");
  const onnx::Model graph = graph_of(written(layout));
  std::map<std::int64_t, std::set<std::string>> by_offset;
  for (const auto& t : graph.initializers) {
    if (t.external) by_offset[t.external->offset].insert(t.name);
  }
  for (const auto& [offset, names] : by_offset) {
    if (names.size() > 1) {
      EXPECT_EQ(names, (std::set<std::string>{"model.embed_tokens.weight",
                                              "model.embed_tokens.head.weight"}));
    }
  }
  EXPECT_EQ(by_offset.size(),
            graph.initializers.size() - 1 -
                static_cast<std::size_t>(std::ranges::count_if(
                    graph.initializers, [](const auto& t) { return !t.external; })));
}

TEST(Onnx, SaysWhatItHoldsExactlyAndWhatRepacked) {
  TensorUse use;
  use.place.role = Role::up;
  use.rows = use.cols = 512;
  const auto says = [&](const char* spec) {
    const Verdict v = onnx_container().accepts(*make_grid(spec), use);
    return v.possible ? std::string(fidelity_word(v.fidelity)) : v.why;
  };
  EXPECT_EQ(says("fp16"), "exact");
  EXPECT_EQ(says("uint4:g32:zero"), "exact");
  EXPECT_EQ(says("uint8:g256:sym"), "exact");
  EXPECT_EQ(says("int4:g32:zero"), "repacked");
  EXPECT_EQ(says("nf4:g64"), "exact");
  EXPECT_EQ(says("fp4:g16"), "exact");
  EXPECT_EQ(says("nf4:g7"), kOnnxHolds);
  for (const char* spec : {"int3:g32", "int4:g24", "int4:g512", "int4:g32:min", "int8:channel",
                           "int4:g32:pow2", "q4_0", "fp64"}) {
    EXPECT_EQ(says(spec), kOnnxHolds) << spec;
  }
  use.cols = 48;
  EXPECT_EQ(says("int4:g32"), "48 columns are no multiple of 32");
  use.cols = 64;
  use.place.role = Role::embedding;
  EXPECT_EQ(says("int4:g32"), "repacked");
  EXPECT_EQ(says("nf4:g64"), "ONNX Runtime looks nothing up in codebooks of this kind");
  use.place.role = Role::ffn_norm;
  EXPECT_EQ(says("int4:g16"), "norms and biases stay in floating point");
}

TEST(Onnx, FillsInItsNativeForm) {
  const auto spec = [](const char* text) {
    return make_grid(text, onnx_container().affine_defaults("bf16"))->spec();
  };
  EXPECT_EQ(spec("int4"), "int4:g32:zero:s32");
  EXPECT_EQ(spec("int8:g128:sym"), "int8:g128:sym:s32");
}

TEST(GenAi, DescribesTheDecoder) {
  const Sample sample(kGemma2);
  const auto files = written(sample.layout(find_container("genai"), "int4:g16"));
  const Json config = json_of(files.at("genai_config.json"));
  EXPECT_EQ(config["model"]["type"], "decoder");
  EXPECT_EQ(config["model"]["vocab_size"], 40);
  EXPECT_EQ(config["model"]["context_length"], 64);
  EXPECT_EQ(config["model"]["decoder"]["head_size"], 16);  // of 12, in the runtime's eights
  EXPECT_EQ(config["model"]["decoder"]["num_key_value_heads"], 2);
  for (const GraphNode& node : graph_of(files).nodes) {
    if (node.op == "MatMulNBits") {
      EXPECT_EQ(integer_of(node, "accuracy_level", 0), 4);
    }
  }
}

TEST(GenAi, PadsWithATokenThatPromptsDoNotHave) {
  Sample sample(kLlama);
  const auto padding = [&](const Tokenizer& tokenizer, const Json& generation) {
    ContainerInput input{sample.model, &tokenizer, sample.config, generation, {}, "sample", {}};
    std::vector<Assignment> all;
    for (const Weight& w : sample.model.weights) all.push_back({&w, make_grid("fp32")});
    const auto files = written(find_container("genai").layout(input, all));
    return json_of(files.at("genai_config.json"))["model"];
  };
  Tokenizer tokenizer;
  for (int i = 0; i < 10; ++i) tokenizer.tokens.push_back({"t" + std::to_string(i)});
  EXPECT_EQ(padding(tokenizer, {})["eos_token_id"], 39);  // none named: the last
  tokenizer.eos = 7;
  EXPECT_EQ(padding(tokenizer, {})["pad_token_id"], 7);
  EXPECT_EQ(padding(tokenizer, {{"eos_token_id", {7, 8}}})["pad_token_id"], 8);
  EXPECT_EQ(padding(tokenizer, {{"eos_token_id", {7, 8}}})["eos_token_id"], Json({7, 8}));
  tokenizer.pad = 3;
  EXPECT_EQ(padding(tokenizer, {})["pad_token_id"], 3);
  tokenizer.unknown = 3;
  EXPECT_EQ(padding(tokenizer, {})["pad_token_id"], 7);
}

}  // namespace
}  // namespace zp
