#include <gtest/gtest.h>

#include "format/cursor.h"
#include "format/sample_files.h"
#include "source/checkpoint.h"
#include "source/sample_pytorch.h"

namespace zp {
namespace {

using sample::Pickle;
using Values = std::vector<float>;

void read_into(const std::string& file, Checkpoint& checkpoint) {
  source_kind_of(sample::view(file))->read(sample::view(file), "x.pt", checkpoint);
}
std::string refusal_of(const std::string& file) {
  return sample::refusal([&] {
    Checkpoint checkpoint;
    read_into(file, checkpoint);
  });
}
std::string refusal_of(const Pickle& pickle) {
  return refusal_of(sample::pytorch_zip(pickle.bytes()));
}

Values values_of(const Tensor& tensor) {
  Values values(static_cast<std::size_t>(tensor.rows->rows() * tensor.rows->cols()));
  tensor.rows->read(0, tensor.rows->rows(), values.data());
  return values;
}

Pickle one_tensor(std::int64_t elements, std::int64_t offset, std::array<std::int64_t, 2> shape,
                  std::array<std::int64_t, 2> strides) {
  return Pickle()
      .op("}")
      .text("w")
      .tensor("FloatStorage", "0", elements, offset, shape, strides)
      .op("s");
}

TEST(Pytorch, ReadsBothForms) {
  for (const std::string& file : {sample::pytorch_zip(), sample::pytorch_old()}) {
    Checkpoint checkpoint;
    read_into(file, checkpoint);
    ASSERT_EQ(checkpoint.tensors.size(), 2U);
    EXPECT_EQ(checkpoint.find("w")->type, "fp32");
    EXPECT_EQ(checkpoint.find("w")->shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(values_of(*checkpoint.find("w")), (Values{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(values_of(*checkpoint.find("wt")), (Values{0, 3, 1, 4, 2, 5}));
    EXPECT_EQ(checkpoint.find("epoch"), nullptr);
  }
}

TEST(Pytorch, ReadsThreeDimensionsInAnyOrder) {
  // 3 x 1 x 2 of steps 1, 9, 3, and 2 x 3 x 1 whose rows follow no single step.
  Pickle p;
  const auto tensor = [&p](const char* key, std::array<std::int64_t, 3> shape,
                           std::array<std::int64_t, 3> strides) {
    p.text(key)
        .name("torch._utils", "_rebuild_tensor_v2")
        .op("(")
        .storage("FloatStorage", "0", 6)
        .integer(0);
    p.integer(shape[0]).integer(shape[1]).integer(shape[2]).op("\x87");
    p.integer(strides[0]).integer(strides[1]).integer(strides[2]).op("\x87\x89}tR");
  };
  p.op("}(");
  tensor("even", {3, 1, 2}, {1, 9, 3});
  tensor("folded", {2, 3, 1}, {1, 2, 7});
  const std::string file = sample::pytorch_zip(p.op("u").bytes());
  Checkpoint checkpoint;
  read_into(file, checkpoint);
  EXPECT_EQ(values_of(*checkpoint.find("even")), (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(checkpoint.find("folded")->rows->rows(), 6);
  EXPECT_EQ(values_of(*checkpoint.find("folded")), (Values{0, 2, 4, 1, 3, 5}));
}

TEST(Pytorch, ReadsAnOffsetAndAnEmptyTensor) {
  Pickle p;
  p.op("}(").text("tail").tensor("FloatStorage", "0", 6, 4, {1, 2}, {2, 1});
  p.text("none").tensor("FloatStorage", "0", 6, 0, {0, 3}, {3, 1}).op("u");
  const std::string file = sample::pytorch_zip(p.bytes());
  Checkpoint checkpoint;
  read_into(file, checkpoint);
  EXPECT_EQ(values_of(*checkpoint.find("tail")), (Values{4, 5}));
  EXPECT_EQ(checkpoint.find("none")->bytes, 0);
}

TEST(Pytorch, StridesOfZeroRepeatWhatIsStored) {
  Pickle p;
  const auto tensor = [&p](const char* key, std::array<std::int64_t, 3> shape,
                           std::array<std::int64_t, 3> strides) {
    p.text(key)
        .name("torch._utils", "_rebuild_tensor_v2")
        .op("(")
        .storage("FloatStorage", "0", 6)
        .integer(1);
    p.integer(shape[0]).integer(shape[1]).integer(shape[2]).op("\x87");
    p.integer(strides[0]).integer(strides[1]).integer(strides[2]).op("\x87\x89}tR");
  };
  p.op("}(");
  p.text("one").tensor("FloatStorage", "0", 6, 2, {1, 9}, {0, 0});
  p.text("rows").tensor("FloatStorage", "0", 6, 3, {3, 3}, {0, 1});
  p.text("columns").tensor("FloatStorage", "0", 6, 1, {2, 4}, {1, 0});
  tensor("middle", {2, 3, 2}, {2, 0, 1});
  tensor("outer", {2, 2, 2}, {0, 2, 1});
  const std::string file = sample::pytorch_zip(p.op("u").bytes());
  Checkpoint checkpoint;
  read_into(file, checkpoint);
  EXPECT_EQ(values_of(*checkpoint.find("one")), Values(9, 2));
  EXPECT_EQ(values_of(*checkpoint.find("rows")), (Values{3, 4, 5, 3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(values_of(*checkpoint.find("columns")), (Values{1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(values_of(*checkpoint.find("middle")), (Values{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}));
  EXPECT_EQ(values_of(*checkpoint.find("outer")), (Values{1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_TRUE(checkpoint.find("one")->stored.empty());
}

TEST(Pytorch, OnlyTensorsThatLieSideBySideAreStoredBytes) {
  const std::string file = sample::pytorch_zip();
  Checkpoint checkpoint;
  read_into(file, checkpoint);
  EXPECT_EQ(as_text(checkpoint.find("w")->stored), sample::six_floats());
  EXPECT_TRUE(checkpoint.find("wt")->stored.empty());
}

TEST(Pytorch, IntegersAndTensorsExpandedWithoutEndHaveNoRows) {
  Pickle p;
  p.op("}(").text("steps").tensor("LongStorage", "0", 3, 0, {1, 3}, {3, 1});
  p.text("wide").tensor("FloatStorage", "0", 6, 0, {std::int64_t{1} << 40, 3}, {0, 1}).op("u");
  const std::string file = sample::pytorch_zip(p.bytes());
  Checkpoint checkpoint;
  read_into(file, checkpoint);
  EXPECT_EQ(checkpoint.find("steps")->type, "int64");
  EXPECT_EQ(checkpoint.find("steps")->rows, nullptr);
  EXPECT_EQ(checkpoint.find("wide")->rows, nullptr);
}

TEST(Pytorch, FindsTheModelsDictionary) {
  const auto names = [](const Pickle& pickle) {
    Checkpoint checkpoint;
    const std::string file = sample::pytorch_zip(pickle.bytes());
    read_into(file, checkpoint);
    std::string all;
    for (const Tensor& t : checkpoint.tensors) all += t.name + " ";
    return all;
  };
  const auto dict = [](Pickle& p, const char* key, const char* tensor) {
    p.text(key).op("}").text(tensor).tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}).op("s");
  };
  Pickle usual;
  dict(usual.op("}("), "ema", "e");
  dict(usual, "model", "m");
  EXPECT_EQ(names(usual.op("u")), "m ");
  Pickle only;
  dict(only.op("}(").text("net").op("}("), "inner", "i");
  EXPECT_EQ(names(only.op("uu")), "i ");
  Pickle two;
  dict(two.op("}("), "a", "x");
  dict(two, "b", "y");
  EXPECT_EQ(refusal_of(two.op("u")),
            "x.pt: two dictionaries of tensors: expected one, found \"a\" and \"b\"");
  EXPECT_EQ(refusal_of(Pickle().op("}")),
            "x.pt: no tensors in this checkpoint: expected a dictionary of tensors by name");
}

TEST(Pytorch, RefusesCodeByNameAndByte) {
  const std::string text =
      refusal_of(Pickle().op("}").text("w").name("os", "system").text("true").op("\x85Rs"));
  EXPECT_EQ(text,
            "x.pt: byte 49: names code that no checkpoint of weights needs; nothing of it was run: "
            "expected tensors, storages and plain Python data, found os.system");
  EXPECT_NE(
      refusal_of(sample::pytorch_old(Pickle().name("torch.storage", "_load_from_bytes").bytes()))
          .find("found torch.storage._load_from_bytes"),
      std::string::npos);
}

TEST(Pytorch, RefusesTensorsOutsideTheirStorage) {
  const std::string where = "x.pt: tensor \"w\": ";
  EXPECT_EQ(refusal_of(one_tensor(6, 0, {2, 3}, {3, 1})), "accepted");
  EXPECT_EQ(refusal_of(one_tensor(6, 1, {2, 3}, {3, 1})),
            where + "tensor reaches outside its storage: expected 6 elements, found element 6");
  EXPECT_EQ(refusal_of(one_tensor(6, 0, {2, 3}, {100, 1})),
            where + "tensor reaches outside its storage: expected 6 elements, found element 102");
  const std::int64_t most = std::int64_t{1} << 62;
  EXPECT_TRUE(refusal_of(one_tensor(6, 0, {most, 3}, {most, 1}))
                  .starts_with(where + "size overflows 64 bits"));
  EXPECT_EQ(refusal_of(one_tensor(7, 0, {2, 3}, {3, 1})),
            where + "storage \"0\": wrong size: expected 28 bytes, found 24");
  EXPECT_NE(refusal_of(one_tensor(6, -1, {2, 3}, {3, 1})).find("a size was expected here"),
            std::string::npos);
  EXPECT_NE(refusal_of(one_tensor(6, 0, {2, 3}, {-3, 1})).find("a size was expected here"),
            std::string::npos);
  EXPECT_EQ(
      refusal_of(
          Pickle().op("}").text("w").tensor("FloatStorage", "9", 6, 0, {2, 3}, {3, 1}).op("s")),
      where + "storage \"9\": storage missing");
}

TEST(Pytorch, RefusesWhatIsNoCheckpoint) {
  EXPECT_EQ(refusal_of(sample::zip({{"a", "b"}})),
            "x.pt: no PyTorch checkpoint: expected a zip archive with one data.pkl");
  EXPECT_EQ(refusal_of(Pickle().op("}").bytes()),
            "x.pt: pickle that is no PyTorch checkpoint: expected PyTorch's magic number");
  EXPECT_EQ(refusal_of(sample::zip({{"m/data.pkl", sample::sound_pickle()},
                                    {"m/byteorder", "big"},
                                    {"m/data/0", sample::six_floats()}})),
            "x.pt: byteorder: wrong byte order: expected little, found big");
}

TEST(Pytorch, RefusesASelfContainingListWithoutEnd) {
  // A list inside itself, and a dictionary inside itself under a usual name.
  EXPECT_EQ(
      refusal_of(Pickle().op("}").text("a").op("]q").op(std::string_view("\0h\0a", 4)).op("s")),
      "x.pt: no tensors in this checkpoint: expected a dictionary of tensors by name");
  EXPECT_EQ(refusal_of(Pickle()
                           .op("}q")
                           .op(std::string_view("\0", 1))
                           .text("model")
                           .op("h")
                           .op(std::string_view("\0s", 2))),
            "x.pt: no tensors in this checkpoint: expected a dictionary of tensors by name");
}

}  // namespace
}  // namespace zp
