#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/checked.h"
#include "base/escape_html.h"
#include "format/openvino.h"

namespace zp::openvino {
namespace {

constexpr std::array kElementTypes = {
    std::pair{DType::f64, "f64"},         std::pair{DType::f32, "f32"},
    std::pair{DType::f16, "f16"},         std::pair{DType::bf16, "bf16"},
    std::pair{DType::f8_e4m3, "f8e4m3"},  std::pair{DType::f8_e5m2, "f8e5m2"},
    std::pair{DType::i64, "i64"},         std::pair{DType::i32, "i32"},
    std::pair{DType::i16, "i16"},         std::pair{DType::i8, "i8"},
    std::pair{DType::u64, "u64"},         std::pair{DType::u32, "u32"},
    std::pair{DType::u16, "u16"},         std::pair{DType::u8, "u8"},
    std::pair{DType::boolean, "boolean"},
};

struct Operator {
  std::string_view name;
  std::string_view set;
  std::string_view type = {};     ///< of its elements, of each output; empty: as follows
  std::string_view said_by = {};  ///< the attribute that names their type; empty: an input's
  std::size_t like = 0;           ///< that input
};

constexpr std::array kOperators = {
    Operator{"Add", "opset1"},
    Operator{"Assign", "opset6"},
    Operator{"BPETokenizer", "extension", "i32 i32 i32"},
    Operator{"BitwiseAnd", "opset13"},
    Operator{"Broadcast", "opset3"},
    Operator{"ByteFallback", "extension", "i32 i32 u8"},
    Operator{"CharsMapNormalization", "extension", "i32 i32 u8 boolean"},
    Operator{"CombineSegments", "extension", "i32 i32 i32 i32 i32 i32"},
    Operator{"Concat", "opset1"},
    Operator{"Const", "opset1", {}, "element_type"},
    Operator{"Convert", "opset1", {}, "destination_type"},
    Operator{"Cos", "opset1"},
    Operator{"Divide", "opset1"},
    Operator{"Floor", "opset1"},
    Operator{"FuzeRagged", "extension", "i32 i32"},
    Operator{"Gather", "opset8"},
    Operator{"Gelu", "opset7"},
    Operator{"Greater", "opset1", "boolean"},
    Operator{"LessEqual", "opset1", "boolean"},
    Operator{"Log", "opset1"},
    Operator{"MVN", "opset6"},
    Operator{"MatMul", "opset1"},
    Operator{"Multiply", "opset1"},
    Operator{"NotEqual", "opset1", "boolean"},
    Operator{"Parameter", "opset1", {}, "element_type"},
    Operator{"Power", "opset1"},
    Operator{"RaggedToDense", "extension", "i32 boolean"},
    Operator{"Range", "opset4", {}, "output_type"},
    Operator{"ReadValue", "opset6"},
    Operator{"ReduceMax", "opset1"},
    Operator{"ReduceMean", "opset1"},
    Operator{"RegexNormalization", "extension", "i32 i32 u8 boolean"},
    Operator{"RegexSplit", "extension", "i32 i32 i32 i32 u8 boolean"},
    Operator{"Reshape", "opset1"},
    Operator{"Result", "opset1"},
    Operator{"ScaledDotProductAttention", "opset13"},
    Operator{"Select", "opset1", {}, {}, 1},
    Operator{"ShapeOf", "opset3", {}, "output_type"},
    Operator{"Sin", "opset1"},
    Operator{"Slice", "opset8"},
    Operator{"SoftMax", "opset8"},
    Operator{"SpecialTokensSplit", "extension", "i32 i32 i32 i32 u8 boolean"},
    Operator{"Sqrt", "opset1"},
    Operator{"StringTensorPack", "opset15", "string"},
    Operator{"StringTensorUnpack", "opset15", "i32 i32 u8"},
    Operator{"Subtract", "opset1"},
    Operator{"Swish", "opset4"},
    Operator{"Tanh", "opset1"},
    Operator{"Transpose", "opset1"},
    Operator{"Truncate", "extension", "i32 i32 i32"},
    Operator{"UTF8Validate", "extension", "i32 i32 u8"},
    Operator{"Unsqueeze", "opset1"},
    Operator{"VocabDecoder", "extension", "i32 i32 i32 i32 u8"},
};

const Operator& operator_of(const GraphNode& node) {
  return *std::ranges::find(kOperators, std::string_view(node.op), &Operator::name);
}

// As ports have it: floats' names in full, all in capitals.
std::string precision(std::string_view type) {
  if (type == "boolean") return "BOOL";
  std::string word(type);
  if (type == "f16" || type == "f32" || type == "f64") word = "FP" + word.substr(1);
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return word;
}

std::string text_of(const GraphAttribute& attribute) {
  if (const auto* whole = std::get_if<std::int64_t>(&attribute.value))
    return std::to_string(*whole);
  if (const auto* real = std::get_if<float>(&attribute.value)) return fmt::format("{}", *real);
  const auto* text = std::get_if<std::string>(&attribute.value);
  return text == nullptr ? std::string() : *text;
}

// Readers make spaces of line ends and tabs that stand there as they are.
std::string in_attribute(std::string_view text) {
  std::string out;
  for (const char c : escape_html(text)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      out += fmt::format("&#{};", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string attribute_of(const GraphNode& node, std::string_view name) {
  const auto found = std::ranges::find(node.attributes, name, &GraphAttribute::name);
  return found == node.attributes.end() ? std::string() : text_of(*found);
}

/// A value: where it comes from, and what its elements are.
struct Source {
  std::size_t layer;
  std::size_t port;
  std::string type;
  bool stored;  ///< a constant
};

class Writer {
 public:
  explicit Writer(std::string_view name) {
    xml_ = fmt::format("<?xml version=\"1.0\"?>\n<net name=\"{}\" version=\"11\">\n\t<layers>\n",
                       escape_html(name));
  }

  void layer(const GraphNode& node) {
    const Operator& op = operator_of(node);
    xml_ += fmt::format("\t\t<layer id=\"{}\" name=\"{}\" type=\"{}\" version=\"{}\">\n", layers_,
                        escape_html(node.name), node.op, op.set);
    if (!node.attributes.empty()) {
      xml_ += "\t\t\t<data";
      for (const GraphAttribute& a : node.attributes)
        xml_ += fmt::format(" {}=\"{}\"", a.name, escape_html(text_of(a)));
      xml_ += "/>\n";
    }
    if (is_decompression(node)) {
      xml_ +=
          "\t\t\t<rt_info>\n\t\t\t\t<attribute name=\"decompression\" version=\"0\"/>\n"
          "\t\t\t</rt_info>\n";
    }
    inputs(node);
    outputs(node, op);
    xml_ += "\t\t</layer>\n";
    ++layers_;
  }

  std::string finish(const Info& info) && {
    xml_ += "\t</layers>\n\t<edges>\n" + edges_ + "\t</edges>\n";
    if (!info.empty()) add(info);
    return std::move(xml_) + "</net>\n";
  }

 private:
  void add(const Info& info) {
    std::vector<std::string_view> open = {"rt_info"};  // elements that names are in
    const auto indent = [&] { return std::string(open.size(), '\t'); };
    const auto close_to = [&](std::size_t depth) {
      while (open.size() > depth) {
        const std::string_view name = open.back();
        open.pop_back();
        xml_ += fmt::format("\t{}</{}>\n", indent(), name);
      }
    };
    xml_ += "\t<rt_info>\n";
    for (const auto& [path, value] : info) {
      std::string_view rest = path;
      std::size_t depth = 1;
      for (std::size_t slash; (slash = rest.find('/')) != rest.npos; ++depth) {
        const std::string_view name = rest.substr(0, slash);
        rest.remove_prefix(slash + 1);
        if (depth < open.size() && open[depth] == name) continue;
        close_to(depth);
        xml_ += fmt::format("\t{}<{}>\n", indent(), name);
        open.push_back(name);
      }
      close_to(depth);
      xml_ += fmt::format("\t{}<{} value=\"{}\"/>\n", indent(), rest, in_attribute(value));
    }
    close_to(0);
  }

  // Without this mark the runtime makes FP32 of 16-bit floats while it loads, and keeps that.
  bool is_decompression(const GraphNode& node) const {
    if (node.op != "Convert") return false;
    const Source& from = values_.at(node.inputs[0]);
    return from.stored && (from.type == "f16" || from.type == "bf16");
  }

  void inputs(const GraphNode& node) {
    if (node.inputs.empty()) return;
    xml_ += "\t\t\t<input>\n";
    for (std::size_t port = 0; port < node.inputs.size(); ++port) {
      const Source& from = values_.at(node.inputs[port]);
      xml_ +=
          fmt::format("\t\t\t\t<port id=\"{}\" precision=\"{}\"/>\n", port, precision(from.type));
      edges_ += fmt::format(
          "\t\t<edge from-layer=\"{}\" from-port=\"{}\" to-layer=\"{}\" to-port=\"{}\"/>\n",
          from.layer, from.port, layers_, port);
    }
    xml_ += "\t\t\t</input>\n";
  }

  void outputs(const GraphNode& node, const Operator& op) {
    if (node.outputs.empty()) return;
    std::string all(op.type);
    if (!op.said_by.empty()) all = attribute_of(node, op.said_by);
    if (all.empty()) all = values_.at(node.inputs[op.like]).type;
    std::istringstream types(all);
    std::size_t port = node.inputs.size();
    xml_ += "\t\t\t<output>\n";
    for (const std::string& name : node.outputs) {
      std::string type;
      types >> type;
      xml_ += fmt::format("\t\t\t\t<port id=\"{}\" precision=\"{}\" names=\"{}\"/>\n", port,
                          precision(type), escape_html(name));
      values_.emplace(name, Source{layers_, port++, std::move(type), node.op == "Const"});
    }
    xml_ += "\t\t\t</output>\n";
  }

  std::size_t layers_ = 0;
  std::unordered_map<std::string, Source> values_;
  std::string xml_;
  std::string edges_;
};

}  // namespace

std::string_view element_type(DType dtype) {
  return std::ranges::find(kElementTypes, dtype, [](const auto& pair) { return pair.first; })
      ->second;
}

std::optional<DType> dtype_of(std::string_view element_type) {
  const auto* found = std::ranges::find(
      kElementTypes, element_type, [](const auto& pair) { return std::string_view(pair.second); });
  return found == kElementTypes.end() ? std::nullopt : std::optional(found->first);
}

GraphNode constant(std::string name, std::string_view type, std::span<const std::int64_t> shape,
                   std::int64_t offset) {
  std::string sizes;
  std::int64_t bits = element_bits(type);
  for (const std::int64_t n : shape) {
    sizes += (sizes.empty() ? "" : ",") + std::to_string(n);
    bits = checked_mul(bits, n, name);
  }
  return {"Const",
          {},
          name,
          {},
          {name},
          {{"element_type", std::string(type)},
           {"shape", std::move(sizes)},
           {"offset", offset},
           {"size", ceil_div(bits, 8)}}};
}

std::string write(std::string_view name, std::span<const GraphNode> nodes, const Info& info) {
  Writer writer(name);
  for (const GraphNode& node : nodes) writer.layer(node);
  return std::move(writer).finish(info);
}

}  // namespace zp::openvino
