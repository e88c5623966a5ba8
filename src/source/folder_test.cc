// Which files are the model: indexes, shards with and without one, what lies beside.
#include "source/folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "format/sample_files.h"
#include "source/checkpoint.h"
#include "source/sample_pytorch.h"
#include "source/shard_name.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

/// One U8 tensor of one element.
std::string one_tensor(const std::string& name) {
  return sample::safetensors("{\"" + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                             "x");
}

std::string gguf_part(std::uint16_t number, std::uint16_t count, const std::string& tensor) {
  sample::Raw raw;
  raw.string("split.no").number<std::uint32_t>(2).number(number);
  raw.string("split.count").number<std::uint32_t>(2).number(count);
  return sample::gguf(2, raw.bytes(), {{.name = tensor}}, std::string(16, 'x'));
}

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("zp_folder_" + std::string(test->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  /// Names of the tensors, or the refusal with the folder's path left out.
  std::string opened(const fs::path& name = {}) const {
    std::string names;
    std::string refusal = sample::refusal([&] {
      for (const Tensor& t : open_checkpoint(name.empty() ? folder_ : folder_ / name).tensors)
        names += (names.empty() ? "" : " ") + t.name;
    });
    if (refusal == "accepted") return names;
    for (std::size_t at; (at = refusal.find(folder_.string())) != refusal.npos;)
      refusal.erase(at, folder_.string().size() + (refusal[at + folder_.string().size()] == '/'));
    return refusal;
  }

  fs::path folder_;
};

TEST(ShardName, IsReadAndMade) {
  const auto shard = parse_shard_name("a-b-00002-of-00010.safetensors");
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->stem, "a-b");
  EXPECT_EQ(shard->number, 2);
  EXPECT_EQ(shard->count, 10);
  EXPECT_EQ(shard->other(10), "a-b-00010-of-00010.safetensors");
  for (const char* name : {"model.safetensors", "-00001-of-00002.gguf", "a-00000-of-00002.gguf",
                           "a-00003-of-00002.gguf", "a-0001-of-00002.gguf", "a-00001-of-0000x.gguf",
                           "a-00001-of-00002", "a_00001-of-00002.gguf", "a-+0001-of-00002.gguf",
                           "a--0001-of-00002.gguf"})
    EXPECT_FALSE(parse_shard_name(name)) << name;
}

TEST_F(Folder, AnIndexBesideTheOneFileItNamesBelongsToIt) {
  write("model.safetensors", one_tensor("a"));
  write("model.safetensors.index.json",
        R"({"metadata":{},"weight_map":{"a":"model.safetensors"}})");
  EXPECT_EQ(opened(), "a");
  EXPECT_EQ(opened("model.safetensors.index.json"), "a");
  write("model.safetensors.index.json", R"({"weight_map":{"b":"model.safetensors"}})");
  EXPECT_EQ(opened(),
            "model.safetensors.index.json: tensor of model.safetensors missing: expected "
            "\"a\"");
}

TEST_F(Folder, AnIndexOfShardsThatAreGoneDoesNotCountBesideAWholeFile) {
  write("model.safetensors", one_tensor("a"));
  write("model.safetensors.index.json",
        R"({"weight_map":{"b":"model-00001-of-00001.safetensors"}})");
  EXPECT_EQ(opened(), "a");
}

TEST_F(Folder, ShardsNeedNoIndex) {
  write("model-00001-of-00002.safetensors", one_tensor("a"));
  EXPECT_EQ(opened(), "model-00002-of-00002.safetensors: shard missing");
  write("model-00002-of-00002.safetensors", one_tensor("b"));
  EXPECT_EQ(opened(), "a b");
  EXPECT_EQ(opened("model-00001-of-00002.safetensors"), "a b");
  EXPECT_EQ(opened("model-00002-of-00002.safetensors"), "a b");
  write("model-00002-of-00002.safetensors", one_tensor("a"));
  EXPECT_EQ(opened(), "model-00002-of-00002.safetensors: tensor stands twice: found \"a\"");
  write("other.safetensors", one_tensor("c"));
  EXPECT_EQ(opened(),
            ": two models in one folder; name the file: expected one, found "
            "model-00001-of-00002.safetensors and other.safetensors");
}

TEST_F(Folder, AShardsPathStandsForWhatTheIndexNames) {
  write("model-00001-of-00002.safetensors", one_tensor("a"));
  write("model-00002-of-00002.safetensors", one_tensor("b"));
  write("model.safetensors.index.json", R"({"weight_map":{"a":"model-00001-of-00002.safetensors",
      "c":"model-00002-of-00002.safetensors"}})");
  EXPECT_NE(opened("model-00001-of-00002.safetensors").find("index.json: tensor of"),
            std::string::npos);
}

TEST_F(Folder, PytorchShardsNeedNoIndexAmongOtherBinFiles) {
  write("training_args.bin", "x");
  write("pytorch_model-00001-of-00001.bin", sample::pytorch_zip());
  EXPECT_EQ(opened(), "w wt");
}

TEST_F(Folder, GgufPartsArePutTogether) {
  write("a-00001-of-00002.gguf", gguf_part(0, 2, "a"));
  write("a-00002-of-00002.gguf", gguf_part(1, 2, "b"));
  EXPECT_EQ(opened(), "a b");
  EXPECT_EQ(opened("a-00001-of-00002.gguf"), "a b");
  write("alone.gguf", gguf_part(1, 2, "b"));
  EXPECT_EQ(
      opened("alone.gguf"),
      "alone.gguf: \"split.count\": one part of a split model: expected 2 files side by side, "
      "named as llama.cpp names them, found 1");
}

TEST_F(Folder, AdaptersAreNamedWithTheirBase) {
  write("adapter_model.safetensors", one_tensor("a"));
  write("adapter_config.json", R"({"peft_type":"LORA","base_model_name_or_path":"org/base"})");
  EXPECT_NE(opened().find("found a PEFT adapter of \"org/base\", which"), std::string::npos);
  write("model.safetensors", one_tensor("b"));
  EXPECT_EQ(opened(), "b");
  const Checkpoint checkpoint = open_checkpoint(folder_);
  ASSERT_EQ(checkpoint.notes.size(), 1U);
  EXPECT_NE(checkpoint.notes[0].find("org/base"), std::string::npos);
}

TEST_F(Folder, WhatHasNoModelIsNamed) {
  const auto found = [&](const std::string& name) {
    const std::string text = opened();
    fs::remove_all(folder_ / name);
    return text.substr(text.find("found ") + 6);
  };
  write("tokenizer.json", "{}");
  EXPECT_EQ(found("tokenizer.json"), "a tokenizer alone");
  write("model_index.json", "{}");
  EXPECT_EQ(found("model_index.json"), "a diffusers pipeline");
  fs::create_directory(folder_ / "onnx");
  write("onnx/model.onnx", "x");
  EXPECT_EQ(found("onnx"), "ONNX models in onnx/: name one of them");
}

TEST(ModelName, LeavesOutWhatCountsShards) {
  EXPECT_EQ(model_name_of("x/model-00001-of-00002.safetensors"), "model");
  EXPECT_EQ(model_name_of("model.safetensors.index.json"), "model");
  EXPECT_EQ(model_name_of("Phi-3.5.gguf"), "Phi-3.5");
}

}  // namespace
}  // namespace zp
