#include "format/onnx.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "format/cursor.h"

namespace zp::onnx {
namespace {

Model small() {
  static const std::string raw(8, 'x');
  Model m;
  m.producer = "someone";
  m.operator_sets = {{"", 21}, {"com.microsoft", 1}};
  m.graph_name = "g";
  m.nodes = {{"Add", "", "first", {"x", "", "b"}, {"y"}, {}},
             {"MatMulNBits",
              "com.microsoft",
              "second",
              {"y", "w"},
              {"z"},
              {{"bits", std::int64_t{4}},
               {"minus", std::int64_t{-7}},
               {"factor", 0.5f},
               {"how", std::string("tanh")}}}};
  m.initializers = {{"b", Type::f32, {2}, raw, {}},
                    {"scalar", Type::i64, {}, raw, {}},
                    {"w", Type::u8, {3, 1, 16}, {}, External{"model.onnx.data", 4096, 48}},
                    {"rest", Type::f16, {5}, {}, External{"model.onnx.data", 8192, std::nullopt}}};
  m.inputs = {{"x", Type::f32, {"batch", 7}}};
  m.outputs = {{"z", Type::i64, {}}};
  return m;
}

TEST(Onnx, ReadsBackWhatItWrites) {
  const std::vector<std::byte> bytes = write(small());
  EXPECT_TRUE(recognizes(bytes));
  EXPECT_EQ(read(bytes, "m"), small());
}

// By hand from onnx.proto: ir_version 10, producer "a", graph {node {op_type "N"}}, opset {"", 21}.
TEST(Onnx, WritesTheSchemasFields) {
  Model m;
  m.producer = "a";
  m.operator_sets = {{"", 21}};
  m.nodes = {{"N", "", "", {}, {}, {}}};
  const std::string expected(
      "\x08\x0a\x12\x01"
      "a\x3a\x07\x0a\x03\x22\x01N\x12\x00\x42\x04\x0a\x00\x10\x15",
      20);
  EXPECT_EQ(as_text(write(m)), expected);
}

TEST(Onnx, ReadsSizesThatArePackedIntoOneField) {
  // graph {initializer {dims: packed [2, 300], data_type 1, name "w"}}
  const std::string tensor("\x0a\x03\x02\xac\x02\x10\x01\x42\x01w", 10);
  const std::string graph = "\x2a\x0a" + tensor;
  const std::string file = "\x08\x0a\x3a\x0c" + graph;
  const Model m = read({reinterpret_cast<const std::byte*>(file.data()), file.size()}, "m");
  ASSERT_EQ(m.initializers.size(), 1u);
  EXPECT_EQ(m.initializers[0].shape, (std::vector<std::int64_t>{2, 300}));
}

TEST(Onnx, ReadsPackedFloatsAsRawData) {
  // graph {initializer {dims 1, data_type 1, float_data: packed [1.0]}}
  const std::string tensor("\x08\x01\x10\x01\x22\x04\x00\x00\x80\x3f", 10);
  const std::string file = "\x08\x0a\x3a\x0c\x2a\x0a" + tensor;
  const Model m = read({reinterpret_cast<const std::byte*>(file.data()), file.size()}, "m");
  ASSERT_EQ(m.initializers.size(), 1u);
  EXPECT_EQ(m.initializers[0].raw, std::string_view("\x00\x00\x80\x3f", 4));
}

TEST(Onnx, EveryTruncationIsRefusedOrShorter) {
  const std::vector<std::byte> bytes = write(small());
  std::size_t refused = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    try {
      EXPECT_NE(read(Bytes(bytes).first(cut), "m"), small()) << cut;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find("m: "), 0u);
      ++refused;
    }
  }
  EXPECT_GT(refused, bytes.size() - 10);  // all but cuts between the outermost fields
}

TEST(Onnx, FindsWholeNumbersOfNodes) {
  const Model m = small();
  EXPECT_EQ(integer_of(m.nodes[1], "bits", 8), 4);
  EXPECT_EQ(integer_of(m.nodes[1], "factor", 8), 8);
  EXPECT_EQ(integer_of(m.nodes[0], "bits", 8), 8);
}

TEST(Onnx, RecognizesNoOtherFiles) {
  for (const std::string_view other :
       {"GGUF\x03\0\0\0", "PK\x03\x04", "{\"a\": 1}", "\x08\x0a", ""}) {
    EXPECT_FALSE(recognizes({reinterpret_cast<const std::byte*>(other.data()), other.size()}))
        << other;
  }
}

TEST(Onnx, EveryTypeOfOursHasOneThere) {
  for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_of(type_of(dtype)), dtype) << i;
  }
  EXPECT_EQ(dtype_of(static_cast<Type>(99)), std::nullopt);
}

}  // namespace
}  // namespace zp::onnx
