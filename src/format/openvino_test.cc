#include "format/openvino.h"

#include <gtest/gtest.h>

#include <array>
#include <span>

#include "base/error.h"

namespace zp::openvino {
namespace {

using Text = std::string;

TEST(OpenVino, LayersAndPortsAreNumberedAndTyped) {
  const std::vector<GraphNode> nodes = {
      {"Parameter", "", "x", {}, {"x"}, {{"shape", Text("?,2")}, {"element_type", Text("f32")}}},
      {"Const",
       "",
       "w",
       {},
       {"w"},
       {{"element_type", Text("f16")},
        {"shape", Text("2,2")},
        {"offset", std::int64_t{64}},
        {"size", std::int64_t{8}}}},
      {"Convert", "", "c", {"w"}, {"c"}, {{"destination_type", Text("f32")}}},
      {"Greater", "", "g", {"x", "c"}, {"a<b"}, {}},
      {"Result", "", "r", {"a<b"}, {}, {}},
  };
  EXPECT_EQ(write("a \"model\"", nodes), R"(<?xml version="1.0"?>
<net name="a &#34;model&#34;" version="11">
	<layers>
		<layer id="0" name="x" type="Parameter" version="opset1">
			<data shape="?,2" element_type="f32"/>
			<output>
				<port id="0" precision="FP32" names="x"/>
			</output>
		</layer>
		<layer id="1" name="w" type="Const" version="opset1">
			<data element_type="f16" shape="2,2" offset="64" size="8"/>
			<output>
				<port id="0" precision="FP16" names="w"/>
			</output>
		</layer>
		<layer id="2" name="c" type="Convert" version="opset1">
			<data destination_type="f32"/>
			<rt_info>
				<attribute name="decompression" version="0"/>
			</rt_info>
			<input>
				<port id="0" precision="FP16"/>
			</input>
			<output>
				<port id="1" precision="FP32" names="c"/>
			</output>
		</layer>
		<layer id="3" name="g" type="Greater" version="opset1">
			<input>
				<port id="0" precision="FP32"/>
				<port id="1" precision="FP32"/>
			</input>
			<output>
				<port id="2" precision="BOOL" names="a&lt;b"/>
			</output>
		</layer>
		<layer id="4" name="r" type="Result" version="opset1">
			<input>
				<port id="0" precision="BOOL"/>
			</input>
		</layer>
	</layers>
	<edges>
		<edge from-layer="1" from-port="0" to-layer="2" to-port="0"/>
		<edge from-layer="0" from-port="0" to-layer="3" to-port="0"/>
		<edge from-layer="2" from-port="1" to-layer="3" to-port="1"/>
		<edge from-layer="3" from-port="2" to-layer="4" to-port="0"/>
	</edges>
</net>
)");
}

TEST(OpenVino, ValuesOfOneNodeAreItsPortsAndWhatIsSaidStaysOnItsLines) {
  const std::vector<GraphNode> nodes = {
      {"Parameter", "", "x", {}, {"x"}, {{"shape", Text("?")}, {"element_type", Text("string")}}},
      {"StringTensorUnpack", "", "u", {"x"}, {"begins", "ends", "bytes"}, {}},
      {"UTF8Validate", "", "v", {"begins", "ends", "bytes"}, {"b", "e", "c"}, {}},
  };
  const std::string xml = write("t", nodes, {{"chat_template", "{{ 'a' }}\n\t<b>"}});
  EXPECT_NE(xml.find(R"(
				<port id="1" precision="I32" names="begins"/>
				<port id="2" precision="I32" names="ends"/>
				<port id="3" precision="U8" names="bytes"/>
)"),
            xml.npos);
  EXPECT_NE(xml.find(R"(
		<edge from-layer="1" from-port="3" to-layer="2" to-port="2"/>
)"),
            xml.npos);
  EXPECT_NE(xml.find(R"(
	<rt_info>
		<chat_template value="{{ &#39;a&#39; }}&#10;&#9;&lt;b&gt;"/>
	</rt_info>
)"),
            xml.npos);
}

TEST(OpenVino, WhatIsSaidOfTheWholeIsInElementsOfItsPath) {
  const std::vector<GraphNode> nodes = {
      {"Parameter", "", "x", {}, {"x"}, {{"shape", Text("?")}, {"element_type", Text("f32")}}}};
  const Info info = {{"a/b/c", "1"}, {"a/b/d", "2"}, {"a/e", "3"}, {"f", "4"}, {"g/h/i", "5"}};
  const std::string xml = write("t", nodes, info);
  EXPECT_EQ(xml.substr(xml.find("\t<rt_info>")), R"(	<rt_info>
		<a>
			<b>
				<c value="1"/>
				<d value="2"/>
			</b>
			<e value="3"/>
		</a>
		<f value="4"/>
		<g>
			<h>
				<i value="5"/>
			</h>
		</g>
	</rt_info>
</net>
)");
}

const std::string kHead = "<?xml version=\"1.0\"?><net name=\"n\" version=\"11\">";

std::string refusal_of(const std::string& xml) {
  try {
    read(std::as_bytes(std::span(xml)), "g");
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(OpenVino, WhatIsWrittenIsRead) {
  const std::vector<GraphNode> nodes = {
      {"Parameter", "", "x", {}, {"x"}, {{"shape", Text("?,2")}, {"element_type", Text("f32")}}},
      constant("a.weight", "u4", std::array<std::int64_t, 2>{3, 3}, 64),
      {"Convert", "", "c", {"a.weight"}, {"c"}, {{"destination_type", Text("f32")}}},
      {"MatMul", "", "m", {"x", "c"}, {"m"}, {{"transpose_b", Text("true")}}},
  };
  const std::string xml = write("n", nodes, {{"producer", "someone"}});
  EXPECT_TRUE(recognizes(std::as_bytes(std::span(xml))));
  const Graph graph = read(std::as_bytes(std::span(xml)), "g");
  EXPECT_EQ(graph.producer, "someone");
  ASSERT_EQ(graph.constants.size(), 1u);
  EXPECT_EQ(graph.constants[0].name, "a.weight");
  EXPECT_EQ(graph.constants[0].type, "u4");
  EXPECT_EQ(graph.constants[0].shape, (std::vector<std::int64_t>{3, 3}));
  EXPECT_EQ(graph.constants[0].offset, 64);
  EXPECT_EQ(graph.constants[0].bytes, 5);  // of nine half bytes
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[2].op, "MatMul");
  EXPECT_EQ(graph.nodes[2].inputs, (std::vector<std::string>{"x", "c"}));
  EXPECT_EQ(graph.nodes[2].attributes[0], (GraphAttribute{"transpose_b", Text("true")}));
}

TEST(OpenVino, SaysInOneLineWhatIsWrong) {
  EXPECT_EQ(refusal_of("<?xml"),
            "g: byte 4: not XML: found Error parsing document declaration/processing instruction");
  EXPECT_EQ(refusal_of("<a/>"), "g: no OpenVINO graph: expected an element \"net\"");
  EXPECT_EQ(refusal_of("<net version=\"9\"/>"),
            "g: a version of OpenVINO's graphs that isn't known: expected 10 or 11, found 9");
  const std::string edge = "<edge from-layer=\"0\" from-port=\"0\" to-layer=\"1\" to-port=\"0\"/>";
  EXPECT_EQ(refusal_of(kHead + "<edges>" + edge + edge + "</edges></net>"),
            "g: edges: two values for one input: found layer 1, port 0");
  const std::string node =
      "<layers><layer id=\"1\" name=\"l\" type=\"Exp\"><input><port id=\"0\"/></input></layer></layers>";
  EXPECT_EQ(refusal_of(kHead + node + "</net>"), "g: layer \"l\": an input without a value");
  EXPECT_EQ(refusal_of(kHead + node + "<edges>" + edge + "</edges></net>"),
            "g: layer \"l\": an input of a value that nothing makes");
  const auto stored = [](const std::string& type, const std::string& shape,
                         const std::string& size) {
    return kHead + "<layers><layer id=\"0\" name=\"c\" type=\"Const\"><data element_type=\"" +
           type + "\" shape=\"" + shape + "\" offset=\"0\" size=\"" + size +
           "\"/></layer></layers></net>";
  };
  const std::string layer = "g: layer \"c\": ";
  EXPECT_EQ(refusal_of(stored("string", "1", "1")),
            layer + "a type of elements that isn't known: found string");
  EXPECT_EQ(refusal_of(stored("f32", "2,3", "23")),
            layer + "wrong number of bytes: expected 24, found 23");
  EXPECT_EQ(refusal_of(stored("f32", "2,,3", "24")),
            layer + "shape is no number: expected a whole number from 0 on");
  EXPECT_EQ(refusal_of(stored("f32", "4294967296,4294967296", "24")),
            layer + "size overflows 64 bits: found 4294967296 x 4294967296");
  EXPECT_EQ(refusal_of(stored("f32", "2", "8")), layer + "a constant has one output");
}

// Graphs within a layer aren't known, so they are no graph of ours.
TEST(OpenVino, AGraphWithinALayerIsADifference) {
  const Text begin = kHead + "<layers><layer id=\"0\" name=\"l\" type=\"If\">";
  const Text end = "</layer></layers></net>";
  const Text plain = begin + end, inner = begin + "<then_body/>" + end;
  const Graph a = read(std::as_bytes(std::span(plain)), "g");
  const Graph b = read(std::as_bytes(std::span(inner)), "g");
  EXPECT_NE(a.nodes, b.nodes);
}

// The tree is made and left without recursion.
TEST(OpenVino, DeepNestingIsRead) {
  Text deep = kHead;
  for (int i = 0; i < 200000; ++i) deep += "<a>";
  for (int i = 0; i < 200000; ++i) deep += "</a>";
  EXPECT_EQ(refusal_of(deep + "</net>"), "accepted");
}

}  // namespace
}  // namespace zp::openvino
