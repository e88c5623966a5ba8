#include "container/onnx_graph.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "container/folder_fixture.h"
#include "container/sample_decoder.h"
#include "model/config_writer.h"

namespace zp {
namespace {

/// A folder in memory, and its model as it is read back: every weight in the grid it is stored in.
struct Written {
  Sample sample;
  Buffer file;
  onnx::Model graph;

  Written(const std::string& config, const std::string& container, const std::string& grid)
      : sample(config) {
    const Layout layout = sample.layout(find_container(container), grid);
    file = written(layout).at("model.onnx");
    graph = onnx::read(file, "model.onnx");
    for (std::size_t i = 0; i < layout.jobs.size(); ++i) {
      std::string spec = layout.jobs[i].grid->spec();
      // Signed codes are stored as unsigned ones.
      if (spec.starts_with("int")) spec = "u" + spec;
      sample.model.weights[i].stored_type = spec;
    }
  }

  void check() const { check_onnx_graph(graph, sample.model, "model.onnx"); }
  std::string refusal() const {
    try {
      check();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  GraphNode& node(std::string_view op) {
    return *std::ranges::find(graph.nodes, op, &GraphNode::op);
  }
  onnx::Initializer& tensor(std::string_view name) {
    return *std::ranges::find(graph.initializers, name, &onnx::Initializer::name);
  }
};

TEST(OnnxGraph, WhatIsWrittenIsReadBack) {
  for (const std::string& config : {kLlama, kGpt2, kGemma2, kQwen3Moe, kGlm4Moe, kPhimoe}) {
    for (const char* container : {"onnx", "genai"}) {
      for (const char* grid : {"fp32", "bf16", "int4:g16", "int8:g32:sym:s16", "nf4:g32"}) {
        const bool codebook = std::string_view(grid).starts_with("nf4");
        if (codebook && config.find("per_tok") != std::string::npos) continue;  // is refused
        EXPECT_EQ(Written(config, container, grid).refusal(), "") << container << " " << grid;
      }
    }
  }
}

// GGUF states frequencies by their divisors; config.json has only longrope to say them with.
TEST(OnnxGraph, StatedFrequenciesAreReadBackFromTheirConfig) {
  Written w(kLlama, "onnx", "fp32");
  Rope& rope = w.sample.model.decoder.rope;
  rope.divisors = {1.0f, 1.5f, 2.0f, 8.0f};
  rope.scaling = RopeScaling::stated;
  w.file = written(w.sample.layout(find_container("onnx"), "fp32")).at("model.onnx");
  w.graph = onnx::read(w.file, "model.onnx");
  EXPECT_EQ(w.refusal(), "");
  const Architecture& architecture = *w.sample.model.architecture;
  const Json config = write_config(architecture, w.sample.model.decoder);
  w.sample.model.decoder = architecture.read_config(config, "config.json");
  EXPECT_EQ(w.refusal(), "");
}

TEST(OnnxGraph, NamesTheFirstDifference) {
  const auto said = [](const auto& edit) {
    Written w(kLlama, "onnx", "int4:g16");
    edit(w);
    return w.refusal();
  };
  const std::string begin = "model.onnx: the graph doesn't compute what config.json says: ";
  EXPECT_EQ(said([](Written& w) {
              for (GraphAttribute& a : w.node("GroupQueryAttention").attributes) {
                if (a.name == "scale") a.value = 0.5f;
              }
            }).substr(0, begin.size() + 5),
            begin + "node ");
  EXPECT_NE(said([](Written& w) { w.node("Div").op = "Mul"; }).find("expected Div"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) { w.graph.nodes.erase(w.graph.nodes.begin() + 3); }), "");
  EXPECT_NE(said([](Written& w) {
              auto& inputs = w.node("Sub").inputs;
              std::swap(inputs[0], inputs[1]);
            }).find("input 0"),
            std::string::npos);
  EXPECT_NE(
      said([](Written& w) { w.graph.nodes.push_back(w.graph.nodes.back()); }).find("expected none"),
      std::string::npos);
  EXPECT_NE(said([](Written& w) { w.graph.outputs[0].name = "logits2"; }).find("graph output 0"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) { w.graph.operator_sets[0].second = 20; }).find("operator set 0"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) { w.graph.unread = "functions"; }).find("\"functions\""),
            std::string::npos);
  EXPECT_NE(said([](Written& w) {
              static const std::string other(4, '\x7F');
              w.tensor("constant_1").raw = other;
            }).find("constant_1"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) {
              w.tensor("model.embed_tokens.head.weight").external->offset += 64;
            }).find("shared"),
            std::string::npos);
}

TEST(OnnxGraph, RefusesAConfigOfAnotherComputation) {
  Written w(kLlama, "onnx", "fp32");
  w.sample.model.decoder.norm_epsilon = 1e-3;
  EXPECT_NE(w.refusal(), "");
  Written v(kGemma2, "onnx", "fp32");
  v.sample.model.decoder.attention_soft_cap = 0;
  EXPECT_NE(v.refusal().find("softcap"), std::string::npos);
}

TEST(OnnxGraph, RefusesAConfigOfAnotherChoiceOfExperts) {
  const auto said = [](const std::string& config, const char* grid, const auto& edit) {
    Written w(config, "onnx", grid);
    edit(w.sample.model.decoder.experts);
    return w.refusal();
  };
  for (const char* grid : {"fp32", "int4:g16"}) {
    EXPECT_NE(said(kQwen3Moe, grid, [](Experts& e) { e.renormalized = true; }), "");
    EXPECT_NE(said(kQwen3Moe, grid, [](Experts& e) { e.chosen = 3; }), "");
    EXPECT_NE(said(kGlm4Moe, grid, [](Experts& e) { e.groups = 1; }), "");
    EXPECT_NE(said(kGlm4Moe, grid, [](Experts& e) { e.used_groups = 1; }), "");
    EXPECT_NE(said(kGlm4Moe, grid, [](Experts& e) { e.scale = 2; }), "");
    EXPECT_NE(said(kGlm4Moe, grid, [](Experts& e) { e.routing = Routing::softmax; }), "");
    EXPECT_NE(said(kPhimoe, grid, [](Experts& e) { e.noise = 0.3; }), "");
  }
}

TEST(OnnxGraph, RefusesTensorsThatNoGraphOfOursHas) {
  Written w(kLlama, "onnx", "fp32");
  w.sample.model.weights[1].stored_type = "fp64";
  EXPECT_NE(w.refusal().find("in no graph that is written here"), std::string::npos);
}

// Names of the graph and its writer, the schema's version, and where tensors' bytes lie, may be
// any.
TEST(OnnxGraph, EveryEditedByteIsTheSameGraphOrRefused) {
  const Written w(kLlama, "genai", "int4:g16");
  Random random(3);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < w.file.size(); i += 7) {
    Buffer file = w.file;
    file[i] ^= static_cast<std::byte>(1 + random.uniform() * 255);
    try {
      onnx::Model edited = onnx::read(file, "m");
      check_onnx_graph(edited, w.sample.model, "m");
      ++accepted;
      edited.ir_version = w.graph.ir_version;
      edited.producer = w.graph.producer;
      edited.graph_name = w.graph.graph_name;
      ASSERT_EQ(edited.initializers.size(), w.graph.initializers.size());
      std::size_t t = 0;
      for (onnx::Initializer& tensor : edited.initializers)
        tensor.external = w.graph.initializers[t++].external;
      EXPECT_EQ(edited, w.graph) << "byte " << i;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(accepted, 0u);
}

}  // namespace
}  // namespace zp
