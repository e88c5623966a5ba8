#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <pugixml.hpp>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "format/cursor.h"
#include "format/openvino.h"

namespace zp::openvino {
namespace {

constexpr std::array kBits = {
    std::pair{"f64", 64},   std::pair{"i64", 64},   std::pair{"u64", 64},   std::pair{"f32", 32},
    std::pair{"i32", 32},   std::pair{"u32", 32},   std::pair{"f16", 16},   std::pair{"bf16", 16},
    std::pair{"i16", 16},   std::pair{"u16", 16},   std::pair{"i8", 8},     std::pair{"u8", 8},
    std::pair{"f8e4m3", 8}, std::pair{"f8e5m2", 8}, std::pair{"f8e8m0", 8}, std::pair{"boolean", 8},
    std::pair{"i4", 4},     std::pair{"u4", 4},     std::pair{"nf4", 4},    std::pair{"f4e2m1", 4},
    std::pair{"u2", 2},
};

// A graph of a model of many layers has a few MB; the tree of one takes some ten times as much.
constexpr std::size_t kMostBytes = 64'000'000;

// "LAYER PORT" of where a value comes from or goes to.
using End = std::pair<std::int64_t, std::int64_t>;

class Reader {
 public:
  Reader(Bytes xml, const std::string& where) : where_(where) {
    if (xml.size() > kMostBytes)
      throw Error(where, "a graph beyond all sizes known", "at most 64 MB of XML",
                  std::to_string(xml.size()) + " bytes");
    const pugi::xml_parse_result result = document_.load_buffer(
        xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
    if (!result)
      throw Error(where + ": byte " + std::to_string(result.offset), "not XML", {},
                  result.description());
    for (const pugi::xml_node& node : document_) {
      if (node.type() == pugi::node_doctype)
        throw Error(where, "a document type, of which nothing is read");
    }
    net_ = document_.child("net");
    if (!net_) throw Error(where, "no OpenVINO graph", "an element \"net\"");
    const std::string_view version = net_.attribute("version").value();
    if (version != "10" && version != "11")
      throw Error(where, "a version of OpenVINO's graphs that isn't known", "10 or 11",
                  std::string(version));
  }

  Graph read() {
    Graph graph;
    graph.producer = net_.child("rt_info").child(kProducer.data()).attribute("value").value();
    read_edges();
    for (const pugi::xml_node layer : net_.child("layers").children("layer")) {
      if (std::string_view(layer.attribute("type").value()) == "Const") {
        graph.constants.push_back(constant_of(layer));
      } else {
        graph.nodes.push_back(node_of(layer));
      }
    }
    name_inputs(graph);
    return graph;
  }

 private:
  std::string place(const pugi::xml_node& layer) const {
    return where_ + ": layer \"" + printable(layer.attribute("name").value()) + "\"";
  }

  static std::int64_t whole(std::string_view text, const std::string& where, const char* what) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0)
      throw Error(where, std::string(what) + " is no number", "a whole number from 0 on",
                  std::string(text));
    return value;
  }
  static std::int64_t whole(const pugi::xml_node& node, const char* name,
                            const std::string& where) {
    return whole(node.attribute(name).value(), where, name);
  }

  void read_edges() {
    const std::string where = where_ + ": edges";
    for (const pugi::xml_node edge : net_.child("edges").children("edge")) {
      const End to(whole(edge, "to-layer", where), whole(edge, "to-port", where));
      const End from(whole(edge, "from-layer", where), whole(edge, "from-port", where));
      if (!from_.emplace(to, from).second)
        throw Error(where, "two values for one input", {},
                    "layer " + std::to_string(to.first) + ", port " + std::to_string(to.second));
    }
  }

  // Its outputs' names.
  std::vector<std::string> outputs_of(const pugi::xml_node& layer, std::int64_t id) {
    std::vector<std::string> names;
    for (const pugi::xml_node port : layer.child("output").children("port")) {
      const End end(id, whole(port, "id", place(layer)));
      std::string name = port.attribute("names").value();
      if (name.empty()) name = std::to_string(end.first) + ":" + std::to_string(end.second);
      if (!names_.emplace(end, name).second) throw Error(place(layer), "two outputs of one number");
      names.push_back(std::move(name));
    }
    return names;
  }

  GraphNode node_of(const pugi::xml_node& layer) {
    const std::int64_t id = whole(layer, "id", place(layer));
    GraphNode node;
    node.op = layer.attribute("type").value();
    node.domain = layer.attribute("version").value();
    node.name = layer.attribute("name").value();
    for (const pugi::xml_attribute a : layer.child("data").attributes())
      node.attributes.push_back({a.name(), std::string(a.value())});
    // Graphs within a layer, and whatever else changes what it computes.
    for (const pugi::xml_node part : layer.children()) {
      constexpr std::array<std::string_view, 4> kKnown = {"data", "input", "output", "rt_info"};
      if (std::ranges::find(kKnown, std::string_view(part.name())) == kKnown.end())
        node.attributes.push_back({"<" + std::string(part.name()) + ">", std::monostate()});
    }
    for (const pugi::xml_node port : layer.child("input").children("port")) {
      const auto from = from_.find({id, whole(port, "id", place(layer))});
      if (from == from_.end()) throw Error(place(layer), "an input without a value");
      ends_.push_back(from->second);
    }
    counts_.push_back(ends_.size());
    node.outputs = outputs_of(layer, id);
    return node;
  }

  Constant constant_of(const pugi::xml_node& layer) {
    const std::string where = place(layer);
    const pugi::xml_node data = layer.child("data");
    Constant constant;
    constant.type = data.attribute("element_type").value();
    const std::int64_t bits = element_bits(constant.type);
    if (bits == 0) throw Error(where, "a type of elements that isn't known", {}, constant.type);
    std::string_view shape = data.attribute("shape").value();
    std::int64_t elements = 1;
    while (!shape.empty()) {
      const std::size_t end = std::min(shape.find(','), shape.size());
      std::string_view size = shape.substr(0, end);
      shape.remove_prefix(std::min(end + 1, shape.size()));
      while (size.starts_with(' ')) size.remove_prefix(1);
      constant.shape.push_back(whole(size, where, "shape"));
      elements = checked_mul(elements, constant.shape.back(), where);
    }
    constant.offset = whole(data, "offset", where);
    constant.bytes = whole(data, "size", where);
    const std::int64_t expected = checked_add(checked_mul(elements, bits, where), 7, where) / 8;
    if (constant.bytes != expected)
      throw Error(where, "wrong number of bytes", std::to_string(expected),
                  std::to_string(constant.bytes));
    const std::vector<std::string> names = outputs_of(layer, whole(layer, "id", where));
    if (names.size() != 1) throw Error(where, "a constant has one output");
    constant.name = names.front();
    return constant;
  }

  void name_inputs(Graph& graph) const {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (; begin < counts_[i]; ++begin) {
        const auto name = names_.find(ends_[begin]);
        if (name == names_.end())
          throw Error(where_ + ": layer \"" + printable(graph.nodes[i].name) + "\"",
                      "an input of a value that nothing makes");
        graph.nodes[i].inputs.push_back(name->second);
      }
    }
  }

  const std::string& where_;
  pugi::xml_document document_;
  pugi::xml_node net_;
  std::map<End, End> from_;           // of each input, the output
  std::map<End, std::string> names_;  // of outputs
  std::vector<End> ends_;             // all nodes' inputs, one node's behind the other's
  std::vector<std::size_t> counts_;   // where each node's end
};

}  // namespace

std::int64_t element_bits(std::string_view type) {
  const auto* found =
      std::ranges::find(kBits, type, [](const auto& pair) { return std::string_view(pair.first); });
  return found == kBits.end() ? 0 : found->second;
}

bool recognizes(Bytes file) {
  constexpr std::size_t kLooked = 4096;
  const std::string_view text = as_text(file).substr(0, kLooked);
  return text.starts_with("<?xml") && text.find("<net ") != std::string_view::npos;
}

Graph read(Bytes xml, const std::string& where) { return Reader(xml, where).read(); }

}  // namespace zp::openvino
