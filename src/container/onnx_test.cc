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
  for (const std::string& config : {kLlama, kGpt2, kGemma2, kQwen3Moe, kGlm4Moe, kPhimoe}) {
    for (const char* grid : {"fp32", "bf16", "int4:g16", "uint8:g32:sym:s16", "nf4:g32"}) {
      const bool codebook = std::string_view(grid).starts_with("nf4");
      if (codebook && config.find("per_tok") != std::string::npos) continue;  // is refused
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

// Each plane of each expert, taken out again, is that of the grid; together they fill the tensors.
TEST(Onnx, ExpertsLieInOneTensorRowsOfGateAndUpByTurns) {
  const Sample sample(kQwen3Moe);
  for (const char* spec : {"int4:g16:zero", "uint8:g32:sym", "fp16"}) {
    const Layout layout = sample.layout(onnx_container(), spec);
    const auto files = written(layout);
    const Buffer& data = files.at("model.onnx.data");
    const onnx::Model graph = graph_of(files);
    std::map<std::string, std::int64_t> filled;
    for (const TensorJob& job : layout.jobs) {
      const TensorUse& use = job.weight->use;
      if (use.experts == 0) continue;
      const PlaneBuffers own = nearest_planes(job);
      const std::vector<OnnxPlane> planes = onnx_planes({job.weight, job.grid});
      for (std::size_t p = 0; p < planes.size(); ++p) {
        const auto& tensor =
            *std::ranges::find(graph.initializers, planes[p].name, &onnx::Initializer::name);
        const std::int64_t turns = use.place.role == Role::down ? 1 : 2;
        ASSERT_EQ(tensor.shape.size(), 3u);
        EXPECT_EQ(tensor.shape[0], use.experts);
        EXPECT_EQ(tensor.shape[1], turns * use.rows);
        const PlaneShape shape = job.plane_shape(p);
        for (std::int64_t r = 0; r < use.rows; ++r) {
          const std::int64_t row =
              turns * (use.place.expert * use.rows + r) + (use.place.role == Role::up ? 1 : 0);
          const std::int64_t at = tensor.external->offset + row * shape.row_bytes();
          Buffer back(static_cast<std::size_t>(shape.row_bytes()));
          unpack_rows({.add = planes[p].form.add}, {1, shape.cols, shape.bits},
                      Bytes(data).subspan(static_cast<std::size_t>(at), back.size()), 0, 1, back);
          const auto mine =
              Bytes(own[p]).subspan(static_cast<std::size_t>(r) * back.size(), back.size());
          ASSERT_TRUE(std::ranges::equal(back, mine)) << planes[p].name << " row " << row;
        }
        filled[tensor.name] += shape.rows * shape.row_bytes();
      }
    }
    EXPECT_FALSE(filled.empty());
    for (const auto& t : graph.initializers) {
      if (filled.contains(t.name)) {
        EXPECT_EQ(filled[t.name], *t.external->bytes) << t.name;
      }
    }
  }
}

TEST(Onnx, ExpertsOfALayerAreOnOneGridOfFourBitsOrEight) {
  const Sample sample(kQwen3Moe);
  const auto said = [&](const char* spec, Role role) {
    std::vector<Assignment> all;
    for (const Weight& w : sample.model.weights) {
      const bool other = w.use.experts > 0 && w.use.place.role == role;
      all.push_back({&w, make_grid(other ? spec : w.use.is_matrix() ? "int4:g16:sym" : "fp32")});
    }
    try {
      onnx_container().layout(sample.input(), all);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(said("int4:g16:sym", Role::down), "");
  for (const Role role : {Role::gate, Role::up, Role::down}) {
    for (const char* spec : {"int8:g16:sym", "int4:g32:sym", "fp32"})
      EXPECT_NE(said(spec, role).find("experts of one layer on different grids"),
                std::string::npos);
  }
  const auto& experts = *std::ranges::find_if(sample.model.weights, [](const Weight& w) {
    return w.use.place == Place{1, Role::gate, 0};
  });
  const auto accepts = [&](const char* spec) {
    return onnx_container().accepts(*make_grid(spec), experts.use).why;
  };
  EXPECT_EQ(accepts("int8:g32"), "");
  EXPECT_EQ(accepts("bf16"), "");
  EXPECT_EQ(accepts("int4:g64"), "32 columns are no multiple of 64");
  for (const char* spec : {"int2:g16", "nf4:g32", "int3:g32"})
    EXPECT_EQ(accepts(spec), kOnnxHoldsOfExperts) << spec;
  EXPECT_EQ(onnx_container().fallback(*make_grid("nf4:g32"), experts), "");
  EXPECT_EQ(onnx_container().fallback(*make_grid("int4:g64"), experts), "fp32");
}

TEST(Onnx, SaysWhereExpertsInputsAreRounded) {
  const Sample sample(kQwen3Moe);
  EXPECT_TRUE(sample.layout(onnx_container(), "int4:g16").notes.empty());
  EXPECT_EQ(sample.layout(onnx_container(), "int8:g16").notes.size(), 1u);
  EXPECT_TRUE(sample.layout(find_container("genai"), "int4:g16").notes ==
              sample.layout(find_container("genai"), "int8:g16").notes);
  EXPECT_TRUE(Sample(kLlama).layout(onnx_container(), "int8:g16").notes.empty());
}

TEST(Onnx, RefusesExpertsOfAnotherActivation) {
  Sample sample(kQwen3Moe);
  sample.model.decoder.activation = Activation::gelu_erf;
  EXPECT_THROW(sample.layout(onnx_container(), "int4:g16"), Error);
  EXPECT_THROW(sample.layout(onnx_container(), "fp32"), Error);
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

TEST(GenAi, ActivationsAreNotRoundedWhereAccuracyIsAskedFor) {
  Sample sample(kGemma2);
  sample.accurate = true;
  int products = 0;
  const auto files = written(sample.layout(find_container("genai"), "int4:g16"));
  for (const GraphNode& node : graph_of(files).nodes) {
    if (node.op != "MatMulNBits") continue;
    ++products;
    EXPECT_EQ(integer_of(node, "accuracy_level", 0), 1);
  }
  EXPECT_GT(products, 0);
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
