#include "source/merged_adapter.h"

#include <gtest/gtest.h>

#include "format/sample_files.h"

namespace zp {
namespace {

Tensor matrix(std::string name, std::vector<std::int64_t> shape, std::vector<float> values) {
  Tensor t;
  t.name = std::move(name);
  t.type = "bf16";
  t.shape = std::move(shape);
  t.rows = constant_rows(std::move(values), t.shape[0], t.shape[1]);
  return t;
}

// One matrix with adapters of rank 2, and the projector.
Checkpoint adapted(
    const char* lora = R"({"vision_lora": {"r": 2, "lora_alpha": 3, "layer": ""}})") {
  Checkpoint c;
  c.path = "model";
  c.add(matrix("model.up.weight", {3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), "test");
  const auto beside = [&](const char* what, Tensor t) { c.beside.push_back({what, std::move(t)}); };
  beside("images", matrix("model.up.lora_A.vision.weight", {2, 4}, {1, 0, 2, 0, 0, -2, 0, 4}));
  beside("projector", matrix("model.project.weight", {1, 1}, {1}));
  beside("images", matrix("model.up.lora_B.vision.weight", {3, 2}, {2, 0, 0, 2, 4, 6}));
  beside("speech", matrix("model.up.lora_A.speech.weight", {1, 4}, {1, 1, 1, 1}));
  auto whole = std::make_shared<WholeModel>();
  whole->config = parse_json(lora, "test");
  c.whole = std::move(whole);
  return c;
}

// Numbers that FP32 holds: W + 1.5 B A.
TEST(MergedAdapter, IsAddedToTheMatrixItStandsBeside) {
  Checkpoint c = adapted();
  merge_adapter(c, "vision");
  const Tensor& merged = *c.find("model.up.weight");
  const std::vector<float> expected = {4, 2, 9, 4, 5, 0, 7, 20, 15, -8, 23, 48};
  std::vector<float> found(12);
  merged.rows->read(0, 3, found.data());
  EXPECT_EQ(found, expected);
  std::vector<float> row(4);
  merged.rows->read(2, 1, row.data());
  EXPECT_EQ(row, std::vector<float>(expected.begin() + 8, expected.end()));
  EXPECT_EQ(merged.type, "bf16");
  EXPECT_TRUE(merged.stored.empty());
  ASSERT_EQ(c.beside.size(), 2u);  // projector, speech
  EXPECT_EQ(c.whole, nullptr);
  EXPECT_EQ(c.notes, std::vector<std::string>{
                         "adapter \"vision\" merged: 1 tensor of rank 2, times 1.5; what was "
                         "trained beside it is left out"});
}

TEST(MergedAdapter, RefusesWhatDoesNotFit) {
  const auto refused = [](Checkpoint c, const char* name = "vision") {
    return sample::refusal([&] { merge_adapter(c, name); });
  };
  EXPECT_EQ(
      refused(adapted(), "speech"),
      "model: no adapter of that name: expected config.json with \"speech_lora\", found speech");
  Checkpoint alone = adapted();
  alone.whole.reset();
  EXPECT_NE(refused(std::move(alone)).find("no adapter of that name"), std::string::npos);
  EXPECT_NE(refused(adapted(R"({"vision_lora": {"r": 0, "lora_alpha": 3}})")).find("no rank"),
            std::string::npos);
  EXPECT_EQ(refused(adapted(R"({"vision_lora": {"r": 3, "lora_alpha": 3}})")),
            "model: wrong shape or type of an adapter's matrix: expected "
            "\"model.up.lora_A.vision.weight\" of shape 3 x 4");
  for (const std::size_t without : {std::size_t{0}, std::size_t{2}}) {
    Checkpoint c = adapted();
    c.beside.erase(c.beside.begin() + static_cast<std::ptrdiff_t>(without));
    EXPECT_NE(refused(std::move(c)).find("missing"), std::string::npos) << without;
  }
  Checkpoint other = adapted();
  other.beside[0].tensor.name = "model.down.lora_A.vision.weight";
  EXPECT_NE(refused(std::move(other)).find("an adapter beside no matrix"), std::string::npos);
}

}  // namespace
}  // namespace zp
