#include "format/peft.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "format/sample_files.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class Peft : public testing::Test {
 protected:
  Peft()
      : folder_(fs::temp_directory_path() /
                (std::string("zeropoint_peft_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
  }
  ~Peft() override { fs::remove_all(folder_); }

  static peft::Adapter sound() {
    peft::Adapter adapter;
    adapter.base = "org/base";
    adapter.rank = 2;
    adapter.alpha = 3;
    adapter.targets = {"q_proj"};
    adapter.modules = {{"model.layers.0.q_proj", 3, 1, {1, 2, 3, 4, 5, 6}, {-1, 0.5f}},
                       {"model.layers.1.q_proj", 1, 2, {7, 8}, {1, 2, 3, 4}}};
    return adapter;
  }
  std::string read(const char* name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << text;
  }
  std::string refused() const {
    return sample::refusal([&] { peft::read(folder_); });
  }

  fs::path folder_;
};

TEST_F(Peft, IsReadAsItWasWritten) {
  peft::Adapter adapter = sound();
  peft::write(adapter, folder_, false);
  peft::Adapter found = peft::read(folder_);
  EXPECT_EQ(found.base, "org/base");
  EXPECT_EQ(found.scale(), 1.5f);
  ASSERT_EQ(found.modules.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.modules[i].name, adapter.modules[i].name);
    EXPECT_EQ(found.modules[i].inputs, adapter.modules[i].inputs);
    EXPECT_EQ(found.modules[i].outputs, adapter.modules[i].outputs);
    EXPECT_EQ(found.modules[i].a, adapter.modules[i].a);
    EXPECT_EQ(found.modules[i].b, adapter.modules[i].b);
  }
  EXPECT_THROW(peft::write(adapter, folder_, false), Error);
  adapter.rank_stabilized = true;
  adapter.rank = 1;
  adapter.modules = {{"m", 1, 1, {1}, {1}}};
  peft::write(adapter, folder_, true);
  EXPECT_EQ(peft::read(folder_).scale(), 3.0f);
}

TEST_F(Peft, RefusesWhatIsMoreOrLess) {
  EXPECT_NE(refused().find("no adapter of PEFT's layout"), std::string::npos);
  peft::write(sound(), folder_, false);
  const std::string config = read(peft::kConfigFile);
  const std::string tensors = read(peft::kTensorsFile);
  const auto with = [&](const std::string& text, const std::string& from, const std::string& to) {
    std::string out = text;
    const std::size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return out.replace(at, from.size(), to);
  };
  const auto refused_config = [&](const std::string& from, const std::string& to) {
    write(peft::kConfigFile, with(config, from, to));
    return refused();
  };
  EXPECT_NE(refused_config("\"LORA\"", "\"IA3\"").find("expected LORA, found IA3"),
            std::string::npos);
  EXPECT_NE(refused_config("\"use_rslora\"", "\"use_dora\": true, \"x\"").find("use_dora"),
            std::string::npos);
  EXPECT_NE(refused_config("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]")
                .find("modules_to_save"),
            std::string::npos);
  EXPECT_NE(refused_config("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"")
                .find("found pissa"),
            std::string::npos);
  EXPECT_NE(refused_config("\"bias\": \"none\"", "\"bias\": \"all\"").find("found all"),
            std::string::npos);
  EXPECT_NE(refused_config("\"r\": 2", "\"r\": 0").find("no rank"), std::string::npos);
  EXPECT_NE(refused_config("\"r\": 2", "\"r\": 3").find("as many as \"r\": 3"), std::string::npos);
  write(peft::kConfigFile, config);
  EXPECT_EQ(refused(), "accepted");
  // Names of the same length leave the header as long as it was.
  const auto refused_tensors = [&](const std::string& from, const std::string& to) {
    write(peft::kTensorsFile, with(tensors, from, to));
    return refused();
  };
  EXPECT_NE(refused_tensors("0.q_proj.lora_A.weight", "2.q_proj.lora_A.weight").find("missing"),
            std::string::npos);
  EXPECT_NE(refused_tensors("0.q_proj.lora_A.weight", "0.q_proj.lora_C.weight")
                .find("no tensor of an adapter"),
            std::string::npos);
  EXPECT_NE(refused_tensors("\"F32\"", "\"I32\"").find("wrong shape or type"), std::string::npos);
  write(peft::kTensorsFile, tensors.substr(0, tensors.size() - 4));
  EXPECT_NE(refused(), "accepted");
}

}  // namespace
}  // namespace zp
