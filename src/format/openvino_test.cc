#include "format/openvino.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace zp::openvino
