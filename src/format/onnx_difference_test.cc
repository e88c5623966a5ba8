#include "format/onnx_difference.h"

#include <gtest/gtest.h>

#include <limits>

namespace zp::onnx {
namespace {

Model small() {
  Model m;
  m.operator_sets = {{"", 21}};
  m.nodes = {{"Gelu", "", "first", {"x"}, {"y"}, {{"approximate", std::string("tanh")}}}};
  m.initializers = {{"a", Type::u8, {4}, {}, External{"data", 0, 4}},
                    {"b", Type::u8, {2, 2}, {}, External{"data", 0, 4}}};
  m.inputs = {{"x", Type::f32, {"batch", 7}}};
  return m;
}

TEST(OnnxDifference, IsNoneForTheSameGraphWithItsBytesElsewhere) {
  Model moved = small();
  for (Initializer& t : moved.initializers) t.external = External{"other", 64, std::nullopt};
  std::swap(moved.initializers[0], moved.initializers[1]);
  EXPECT_FALSE(first_difference(moved, small()));
}

TEST(OnnxDifference, SaysWhatWhereExpectedAndFound) {
  Model other = small();
  other.nodes[0].attributes[0].value = std::string("none");
  const auto d = first_difference(other, small());
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "node \"first\": attribute \"approximate\"");
  EXPECT_EQ(d->expected, "\"tanh\"");
  EXPECT_EQ(d->found, "\"none\"");
  other.inputs[0].shape[1] = 8;
  EXPECT_EQ(first_difference(other, small())->found, "\"x\" of type 1 [batch, 8]");
}

TEST(OnnxDifference, SeesBytesThatAreNoLongerShared) {
  Model other = small();
  other.initializers[1].external->offset = 4;
  EXPECT_EQ(first_difference(other, small())->what, "tensor \"b\"");
  EXPECT_FALSE(first_difference(small(), other)) << "a tensor is read from where the graph says";
}

TEST(OnnxDifference, TakesANanForItself) {
  Model m = small();
  m.nodes[0].attributes = {{"x", std::numeric_limits<float>::quiet_NaN()}};
  EXPECT_FALSE(first_difference(m, m));
}

}  // namespace
}  // namespace zp::onnx
