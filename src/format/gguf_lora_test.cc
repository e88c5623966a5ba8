#include "format/gguf_lora.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/mapped_file.h"
#include "format/sample_files.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class GgufLora : public testing::Test {
 protected:
  GgufLora()
      : path_(fs::temp_directory_path() /
              (std::string("zeropoint_gguf_lora_") +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove(path_);
  }
  ~GgufLora() override { fs::remove(path_); }

  gguf::Lora read() const { return gguf::read_lora(MappedFile(path_).bytes(), "test"); }

  static gguf::Lora sound() {
    gguf::Lora lora;
    lora.architecture = "llama";
    lora.alpha = 3;
    lora.rank = 2;
    lora.modules = {{"blk.0.attn_q.weight", 3, 1, {1, 2, 3, 4, 5, 6}, {-1, 0.5f}},
                    {"blk.1.attn_q.weight", 1, 2, {7, 8}, {1, 2, 3, 4}}};
    return lora;
  }

  // Of one pair after the other, the texts and then alpha; a matrix A of 1 x 2, B of 3 x 1.
  struct File {
    const char* type = "adapter";
    const char* kind = "lora";
    float alpha = 2;
    std::vector<sample::GgufTensor> tensors = {{"a.lora_a", {2, 1}, 0, 0},
                                               {"a.lora_b", {1, 3}, 0, 32}};
  };
  std::string refused(const File& file) const {
    sample::Raw pairs;
    for (const auto& [key, value] :
         {std::pair("general.type", file.type), std::pair("general.architecture", "llama"),
          std::pair("adapter.type", file.kind)})
      pairs.string(key).number<std::int32_t>(8).string(value);
    pairs.string("adapter.lora.alpha").number<std::int32_t>(6).number(file.alpha);
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        << sample::gguf(4, pairs.bytes(), file.tensors, std::string(64, '\0'));
    return sample::refusal([&] { read(); });
  }

  fs::path path_;
};

TEST_F(GgufLora, IsReadAsItWasWritten) {
  const gguf::Lora lora = sound();
  gguf::write_lora(lora, path_, false);
  EXPECT_EQ(fs::file_size(path_) % 32, 0u);
  const gguf::Lora found = read();
  EXPECT_EQ(found.architecture, "llama");
  EXPECT_EQ(found.alpha, 3.0f);
  EXPECT_EQ(found.rank, 2);
  ASSERT_EQ(found.modules.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.modules[i].name, lora.modules[i].name);
    EXPECT_EQ(found.modules[i].inputs, lora.modules[i].inputs);
    EXPECT_EQ(found.modules[i].outputs, lora.modules[i].outputs);
    EXPECT_EQ(found.modules[i].a, lora.modules[i].a);
    EXPECT_EQ(found.modules[i].b, lora.modules[i].b);
  }
}

TEST_F(GgufLora, IsReplacedWhereThatIsAskedForAlone) {
  gguf::write_lora(sound(), path_, false);
  EXPECT_THROW(gguf::write_lora(sound(), path_, false), Error);
  gguf::Lora other = sound();
  other.alpha = 4;
  gguf::write_lora(other, path_, true);
  EXPECT_EQ(read().alpha, 4.0f);
}

TEST_F(GgufLora, SaysWhatIsWrong) {
  EXPECT_EQ(refused({}), "accepted");
  const auto with = [&](std::vector<sample::GgufTensor> tensors) {
    return refused({.tensors = std::move(tensors)});
  };
  EXPECT_NE(refused({.type = "model"}).find("expected adapter, found model"), std::string::npos);
  EXPECT_NE(refused({.kind = "other"}).find("expected lora, found other"), std::string::npos);
  EXPECT_NE(refused({.alpha = std::numeric_limits<float>::infinity()}).find("not finite"),
            std::string::npos);
  EXPECT_NE(with({{"a.lora_a", {2, 1}, 0, 0}}).find("one of its adapter's two matrices"),
            std::string::npos);
  EXPECT_NE(
      with({{"a.lora_a", {2, 1}, 0, 0}, {"a.lora_b", {2, 3}, 0, 32}}).find("expected 1, found 2"),
      std::string::npos);
  EXPECT_NE(with({{"a", {2, 1}, 0, 0}}).find("no tensor of an adapter"), std::string::npos);
  EXPECT_NE(with({{"a.lora_a", {2}, 0, 0}}).find("two dimensions"), std::string::npos);
  EXPECT_NE(with({{"a.lora_a", {2, 1}, 26, 0}}).find("F32, F16 or BF16, found I32"),
            std::string::npos);
  EXPECT_NE(with({}).find("an adapter of nothing"), std::string::npos);
  std::ofstream(path_, std::ios::trunc) << "no file of this kind";
  EXPECT_NE(sample::refusal([&] { read(); }).find("GGUF"), std::string::npos);
}

}  // namespace
}  // namespace zp
