// Files that lie, cut files, folders that lead astray: each must end in one clear line.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "format/cursor.h"
#include "format/onnx.h"
#include "format/sample_files.h"
#include "source/checkpoint.h"
#include "source/sample_pytorch.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("zp_hostile_" + std::string(test->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "m");
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path model() const { return folder_ / "m"; }
  fs::path model_file() const { return folder_ / "m" / "model.onnx"; }
  void write(const fs::path& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  /// The refusal with the folder's own path left out.
  std::string refusal_of(const fs::path& path) const {
    std::string text = sample::refusal([&] { open_checkpoint(path); });
    for (std::size_t at; (at = text.find(folder_.string() + "/")) != text.npos;) {
      text.erase(at, folder_.string().size() + 1);
    }
    return text;
  }
  std::string refusal_of_index(std::string_view index) const {
    write("m/model.safetensors.index.json", index);
    return refusal_of(model());
  }

  fs::path folder_;
};

TEST_F(Hostile, EveryTruncationNamesTheFile) {
  const std::vector<std::pair<std::string, std::string>> sound = {
      {"safetensors", sample::safetensors_sound()},
      {"zip", sample::pytorch_zip()},
      {"old", sample::pytorch_old()},
      {"gguf", sample::gguf(0, {}, {{}}, std::string(16, 'x'))},
  };
  for (const auto& [name, bytes] : sound) {
    write(name, bytes);
    EXPECT_EQ(refusal_of(folder_ / name), "accepted");
    for (std::size_t cut = 0; cut < bytes.size(); cut += 64) {
      write(name, std::string_view(bytes).substr(0, cut));
      const std::string text = refusal_of(folder_ / name);
      EXPECT_TRUE(text.starts_with(name + ": ")) << cut << ": " << text;
      EXPECT_EQ(text.find('\n'), text.npos);
    }
  }
}

TEST_F(Hostile, WhatIsNoCheckpointIsSaidSo) {
  EXPECT_EQ(refusal_of(folder_ / "none"), "none: no such file or folder");
  write("text", "Once upon a time");
  EXPECT_EQ(
      refusal_of(folder_ / "text"),
      "text: no checkpoint that is known here: expected safetensors, pytorch, gguf, onnx, openvino, "
      "found text");
  write("empty", "");
  EXPECT_EQ(refusal_of(folder_ / "empty"),
            "empty: empty file: expected safetensors, pytorch, gguf, onnx, openvino");
  EXPECT_EQ(
      refusal_of(model()),
      "m: no model in this folder: expected model.safetensors, pytorch_model.bin, an index of "
      "either, one .gguf file, model.onnx or openvino_model.xml");
}

TEST_F(Hostile, TwoModelsInAFolderAreNamed) {
  write("m/a.gguf", "x");
  write("m/b.gguf", "x");
  EXPECT_EQ(refusal_of(model()),
            "m: two models in one folder; name the file: expected one, found a.gguf and b.gguf");
  write("m/model.safetensors", "x");
  write("m/1.safetensors", "x");
  write("m/model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors"}})");
  EXPECT_EQ(refusal_of(model()),
            "m: two models in one folder; name the file: expected one, found model.safetensors and "
            "model.safetensors.index.json");
}

TEST_F(Hostile, ShardNamesThatCountWrongAreNoShards) {
  write("m/a-00003-of-00002.safetensors", sample::safetensors_sound());
  EXPECT_EQ(refusal_of(model()), "accepted");
  write("m/a-00001-of-99999.safetensors", sample::safetensors_sound());
  EXPECT_EQ(refusal_of(model() / "a-00001-of-99999.safetensors"),
            "m/a-00002-of-99999.safetensors: shard missing");
}

TEST_F(Hostile, AnIndexThatLeavesItsFolderIsRefused) {
  const std::string where = "m/model.safetensors.index.json: shard \"";
  write("outside.safetensors", sample::safetensors_sound());
  for (const std::string file : {"../outside.safetensors", "/etc/passwd", "..", ".", "", "a/b"}) {
    EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":")" + file + R"("}})"),
              where + file + "\": shard outside the folder: expected a file's name alone");
  }
  fs::create_symlink("../outside.safetensors", model() / "link.safetensors");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"link.safetensors"}})"),
            where +
                "link.safetensors\": link leads outside the folder: expected m, found "
                "outside.safetensors");
  fs::create_directory_symlink(folder_, model() / "up");
  EXPECT_TRUE(refusal_of_index(R"({"weight_map":{"a":"up"}})")
                  .starts_with(where + "up\": link leads outside the folder"));
}

TEST_F(Hostile, ALinkMayLeadWhereTheIndexItselfLeads) {
  fs::create_directory(folder_ / "blobs");
  write("blobs/1", R"({"weight_map":{"a":"shard.safetensors"}})");
  write("blobs/2", sample::safetensors_sound());
  fs::create_symlink("../blobs/1", model() / "model.safetensors.index.json");
  fs::create_symlink("../blobs/2", model() / "shard.safetensors");
  EXPECT_EQ(open_checkpoint(model()).tensors.size(), 1U);
}

TEST_F(Hostile, ShardsMustHoldWhatTheIndexSays) {
  write("m/1.safetensors", sample::safetensors_sound());
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"),
            "m/model.safetensors.index.json: shard \"2.safetensors\": shard missing");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"1.safetensors","b":"1.safetensors"}})"),
            "m/1.safetensors: tensor missing: expected \"b\"");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"b":"1.safetensors"}})"),
            "m/model.safetensors.index.json: tensor of 1.safetensors missing: expected \"a\"");
  write("m/2.safetensors",
        sample::safetensors(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x"));
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"2.safetensors","b":"1.safetensors"}})"),
            "m/model.safetensors.index.json: \"a\": tensor in another shard: expected "
            "2.safetensors, found 1.safetensors");
  write("m/2.safetensors", sample::safetensors_sound());
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"),
            "m/2.safetensors: tensor stands twice: found \"a\"");
  write("m/2.safetensors", sample::pytorch_zip());
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"),
            "m/2.safetensors: shard of another kind: expected safetensors, found pytorch");
}

TEST_F(Hostile, AnIndexThatIsNoneIsRefused) {
  const std::string where = "m/model.safetensors.index.json: ";
  EXPECT_EQ(refusal_of_index("[]"), where + "no JSON object: expected an object, found array");
  EXPECT_EQ(refusal_of_index("{}"), where + "field missing: expected \"weight_map\"");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{}})"),
            where + "weight_map: wrong type: expected an object of tensors, found object");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":1}})"),
            where + "weight_map: \"a\": wrong type: expected a file's name, found number");
  EXPECT_EQ(refusal_of_index(R"({"weight_map":{"a":"x","a":"y"}})"),
            where + "key stands twice: found \"a\"");
  EXPECT_EQ(refusal_of_index(std::string(100'000, '[')),
            where + "JSON nested too deeply: expected at most 128 levels");
}

TEST_F(Hostile, NamesThatAreNotPrintableAreRefused) {
  write("x.gguf", sample::gguf(0, {}, {{.name = "a\nb\xff"}}, std::string(16, 'x')));
  EXPECT_EQ(refusal_of(folder_ / "x.gguf"),
            "x.gguf: tensor's name is no printable UTF-8: found \"a?b?\"");
}

TEST_F(Hostile, ANamedPipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo((model() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal_of(model() / "pipe"),
            "m/pipe: can't map: expected a regular file, found something else");
}

// The handmade files that fuzz targets replay, each wrong in the way its name says; what fuzzers
// found stands beside them under "found-" names.
TEST(HostileFiles, AreRefusedInOneLine) {
  // Values keep their types, so scores of another type can't be taken for floats.
  const std::set<std::string> harmless = {"shape-endless-rows-of-nothing", "tensor-expanded-2-40",
                                          "scores-are-int8"};
  int files = 0;
  for (const char* target : {"gguf", "safetensors", "pickle"}) {
    for (const auto& entry : fs::directory_iterator(fs::path("fuzz/regression") / target)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("found-")) continue;
      const std::string text = sample::refusal([&] { open_checkpoint(entry.path()); });
      EXPECT_EQ(text == "accepted", harmless.contains(name)) << target << "/" << name;
      EXPECT_EQ(text.find('\n'), text.npos) << name;
      ++files;
    }
  }
  EXPECT_GT(files, 100);
}

// A tensor of four FP32 values whose data another file has.
std::string onnx_model(const std::string& location, std::int64_t offset) {
  onnx::Model model;
  model.producer = "someone";
  model.initializers = {
      {"a", onnx::Type::f32, {4}, {}, onnx::External{location, offset, std::int64_t{16}}}};
  return std::string(as_text(onnx::write(model)));
}

TEST_F(Hostile, OnnxDataMustLieBesideTheModel) {
  const auto refused = [&](const std::string& location, std::int64_t offset) {
    write("m/model.onnx", onnx_model(location, offset));
    return refusal_of(model());
  };
  const std::string a = "m/model.onnx: tensor \"a\": ";
  write("m/a.data", std::string(20, 'x'));
  write("b.data", std::string(20, 'x'));
  EXPECT_EQ(refused("a.data", 4), "accepted");
  EXPECT_EQ(refused("a.data", 5),
            a + "data past the end of a.data: expected 5 + 16 bytes, found 20");
  EXPECT_EQ(refused("a.data", std::int64_t{1} << 62),
            a + "data past the end of a.data: expected 4611686018427387904 + 16 bytes, found 20");
  EXPECT_EQ(refused("none", 0), a + "data in \"none\" missing");
  for (const std::string location : {"../b.data", "/etc/hostname", ".", "", "x/../a.data"}) {
    EXPECT_EQ(refused(location, 0),
              a + "data in \"" + location + "\" outside the folder: expected a file's name alone");
  }
  fs::create_symlink(folder_ / "b.data", model() / "link");
  EXPECT_EQ(refused("link", 0), a + "link leads outside the folder: expected m, found b.data");
}

// Of a constant [4] of FP32 values at an offset of the second file.
std::string openvino_model(const std::string& offset, const std::string& more = {}) {
  return "<?xml version=\"1.0\"?>" + more +
         "<net name=\"x\" version=\"11\"><layers><layer id=\"0\" name=\"a\" type=\"Const\" "
         "version=\"opset1\"><data element_type=\"f32\" shape=\"4\" offset=\"" +
         offset +
         "\" size=\"16\"/><output><port id=\"0\" names=\"a\"/></output></layer></layers></net>";
}

TEST_F(Hostile, OpenVinoConstantsMustLieInTheSecondFile) {
  const auto refused = [&](const std::string& xml) {
    write("m/openvino_model.xml", xml);
    return refusal_of(model());
  };
  const std::string a = "m/openvino_model.xml: tensor \"a\": ";
  EXPECT_EQ(refused(openvino_model("4")), a + "data in \"openvino_model.bin\" missing");
  write("m/openvino_model.bin", std::string(20, 'x'));
  EXPECT_EQ(refused(openvino_model("4")), "accepted");
  const std::string past = "data past the end of the second file: expected ";
  EXPECT_EQ(refused(openvino_model("5")), a + past + "5 + 16 bytes, found 20");
  EXPECT_EQ(refused(openvino_model("9223372036854775807")),
            a + "size overflows 64 bits: found 9223372036854775807 + 16");
  const std::string layer =
      "m/openvino_model.xml: layer \"a\": offset is no number: expected a whole number from 0 on, found ";
  EXPECT_EQ(refused(openvino_model("-1")), layer + "-1");
  EXPECT_EQ(refused(openvino_model("99999999999999999999")), layer + "99999999999999999999");
  EXPECT_EQ(refused(openvino_model("4", "<!DOCTYPE net [<!ENTITY a \"b\">]>")),
            "m/openvino_model.xml: a document type, of which nothing is read");
}

TEST_F(Hostile, OnnxExpertsMustBeTwoMatricesByTurns) {
  const std::string raw(256, 'x');
  const std::string both = "m.gate_up_proj.weight";
  const auto read = [&](const std::string& op, std::vector<onnx::Initializer> tensors) {
    onnx::Model model;
    model.producer = onnx::kOwnProducer;
    GraphNode node{op, "com.microsoft", "n", {"x", "r", both}, {"y"}, {}};
    if (op == "QMoE") node.inputs.push_back("s");
    node.attributes = {{"expert_weight_bits", std::int64_t{4}}, {"block_size", std::int64_t{16}}};
    model.nodes = {node};
    model.initializers = std::move(tensors);
    write("m/model.onnx", as_text(onnx::write(model)));
    return refusal_of(model_file());
  };
  const auto raw_of = [&](std::size_t bytes) { return std::string_view(raw).substr(0, bytes); };
  using Type = onnx::Type;
  const std::string where = "m/model.onnx: tensor \"" + both + "\": ";
  EXPECT_EQ(read("MoE", {{both, Type::f32, {2, 4, 3}, raw_of(96), {}}}), "accepted");
  EXPECT_EQ(read("MoE", {{both, Type::f32, {2, 3, 4}, raw_of(96), {}}}),
            where + "rows of two matrices by turns are an even number: found 3");
  EXPECT_EQ(read("MoE", {{both, Type::f32, {8, 3}, raw_of(96), {}}}),
            where + "experts of a form that isn't known: expected three dimensions, found 2");
  EXPECT_EQ(read("MoE", {{both, Type::f32, {2, 4, 3}, raw_of(95), {}}}),
            where + "wrong number of bytes: expected 96, found 95");
  EXPECT_EQ(read("MoE", {{both, Type::u8, {2, 4, 3}, raw_of(24), {}}}),
            where + "experts of another type than floats");
  const onnx::Initializer codes = {both, Type::u8, {2, 4, 8}, raw_of(64), {}};
  EXPECT_EQ(read("QMoE", {codes, {"s", Type::f32, {2, 4, 1}, raw_of(32), {}}}), "accepted");
  EXPECT_EQ(read("QMoE", {codes, {"s", Type::f32, {2, 3, 1}, raw_of(24), {}}}),
            where + "codes, scales and zero-points don't fit each other");
  read("QMoE", {codes, {"s", Type::f32, {2, 4, 1}, raw_of(32), {}}});
  const Checkpoint found = open_checkpoint(model_file());
  ASSERT_EQ(found.tensors.size(), 2u);
  EXPECT_EQ(found.tensors[0].name, "m.gate_proj.weight");
  EXPECT_EQ(found.tensors[1].name, "m.up_proj.weight");
  EXPECT_EQ(found.tensors[1].shape, (std::vector<std::int64_t>{2, 2, 16}));
}

}  // namespace
}  // namespace zp
