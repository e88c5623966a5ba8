#include "container/openvino_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "container/folder_fixture.h"
#include "container/sample_decoder.h"

namespace zp {
namespace {

/// A folder in memory, and its model as it is read back: every weight in the grid it is stored in.
struct Written {
  Sample sample;
  Buffer xml;
  Buffer data;
  openvino::Graph graph;

  Written(const std::string& config, const std::string& grid) : sample(config) {
    const Layout layout = sample.layout(find_container("openvino"), grid);
    auto files = written(layout);
    xml = files.at("openvino_model.xml");
    data = files.at("openvino_model.bin");
    graph = read(xml);
    for (std::size_t i = 0; i < layout.jobs.size(); ++i) {
      std::string spec = layout.jobs[i].grid->spec();
      // Codes with zero-points are unsigned.
      if (spec.starts_with("int") && spec.find(":zero") != spec.npos) spec = "u" + spec;
      sample.model.weights[i].stored_type = spec;
    }
  }

  openvino::Graph read(Bytes file) const {
    openvino::Graph found = openvino::read(file, "m");
    for (openvino::Constant& c : found.constants) {
      if (c.offset + c.bytes > std::ssize(data)) throw Error("m", "beyond the data");
      c.data = Bytes(data).subspan(static_cast<std::size_t>(c.offset),
                                   static_cast<std::size_t>(c.bytes));
    }
    return found;
  }
  std::string refusal() const {
    try {
      check_openvino_graph(graph, sample.model, "m");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  GraphNode& node(std::string_view op) {
    return *std::ranges::find(graph.nodes, op, &GraphNode::op);
  }
  openvino::Constant& constant(std::string_view name) {
    return *std::ranges::find(graph.constants, name, &openvino::Constant::name);
  }
};

TEST(OpenVinoGraph, WhatIsWrittenIsReadBack) {
  for (const std::string& config : {kLlama, kGpt2, kGemma2}) {
    for (const char* grid : {"fp32", "fp16", "bf16", "int4:g16", "int4:g16:sym", "int2:g16",
                             "int8:channel", "nf4:g16", "mxfp4", "mxfp8", "nvfp4"}) {
      EXPECT_EQ(Written(config, grid).refusal(), "") << grid;
    }
  }
}

TEST(OpenVinoGraph, NamesTheFirstDifference) {
  const auto said = [](const auto& edit) {
    Written w(kLlama, "int4:g16");
    edit(w);
    return w.refusal();
  };
  EXPECT_EQ(said([](Written& w) { w.node("Sqrt").op = "Exp"; }).substr(0, 57),
            "m: the graph doesn't compute what config.json says: node ");
  EXPECT_NE(said([](Written& w) { w.node("Sqrt").op = "Exp"; }).find("expected Sqrt"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) { w.node("Sqrt").domain = "opset9"; }), "");
  EXPECT_NE(said([](Written& w) { w.graph.nodes.erase(w.graph.nodes.begin() + 3); }), "");
  EXPECT_NE(said([](Written& w) {
              w.node("MatMul").attributes.back().value = std::string("false");
            }).find("attribute \"transpose_b\": expected \"true\", found \"false\""),
            std::string::npos);
  EXPECT_NE(said([](Written& w) {
              auto& inputs = w.node("Subtract").inputs;
              std::swap(inputs[0], inputs[1]);
            }).find("input 0"),
            std::string::npos);
  EXPECT_NE(
      said([](Written& w) { w.graph.nodes.push_back(w.graph.nodes.back()); }).find("expected none"),
      std::string::npos);
  EXPECT_NE(said([](Written& w) { w.graph.constants.pop_back(); }).find("constant "),
            std::string::npos);
  EXPECT_NE(said([](Written& w) {
              static const Buffer other(64, std::byte{0x7F});
              openvino::Constant& c = w.constant("constant_1");
              c.data = Bytes(other).first(c.data.size());
            }).find("\"constant_1\": expected those of the graph written, found other values"),
            std::string::npos);
  EXPECT_NE(said([](Written& w) {
              w.constant("model.norm.weight").type = "f16";
            }).find("model.norm.weight"),
            std::string::npos);
}

TEST(OpenVinoGraph, RefusesAConfigOfAnotherComputation) {
  Written w(kLlama, "fp32");
  w.sample.model.decoder.norm_epsilon = 1e-3;
  EXPECT_NE(w.refusal(), "");
  Written v(kGemma2, "fp32");
  v.sample.model.decoder.attention_soft_cap = 0;
  EXPECT_NE(v.refusal(), "");
}

TEST(OpenVinoGraph, RefusesTensorsThatNoGraphOfOursHas) {
  Written w(kLlama, "fp32");
  w.sample.model.weights[1].stored_type = "q4_k";
  EXPECT_NE(w.refusal().find("in no graph that is written here"), std::string::npos);
}

// What only describes may be any: the graph's name and writer, layers' numbers as long as edges name
// them, precisions of ports.
TEST(OpenVinoGraph, EveryEditedByteIsTheSameGraphOrRefused) {
  const Written w(kLlama, "int4:g16");
  Random random(3);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < w.xml.size(); i += 311) {
    Buffer file = w.xml;
    file[i] ^= static_cast<std::byte>(1 + random.uniform() * 255);
    try {
      openvino::Graph edited = w.read(file);
      check_openvino_graph(edited, w.sample.model, "m");
      ++accepted;
      EXPECT_EQ(edited.nodes, w.graph.nodes) << "byte " << i;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(accepted, 0u);
}

}  // namespace
}  // namespace zp
