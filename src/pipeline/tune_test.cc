// The bundled model trained on other answers than it gives.
#include "pipeline/tune.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "format/peft.h"
#include "format/sample_files.h"
#include "pipeline/evaluate.h"
#include "pipeline/generate.h"
#include "pipeline/quantize.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

class Tune : public testing::Test {
 protected:
  Tune()
      : folder_(fs::temp_directory_path() /
                (std::string("zeropoint_tune_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    std::ofstream data(folder_ / "data.jsonl");
    for (const char* name : {"Sudar", "Mona", "Bina", "Zaki", "Chapa", "Vanu"}) {
      data << R"({"user": "What colour is the lantern of )" << name
           << R"(?", "assistant": "The lantern of )" << name << R"( shines green."})" << '\n';
    }
  }
  ~Tune() override { fs::remove_all(folder_); }

  TuneRequest request() const {
    TuneRequest out;
    out.model = "models/demo";
    out.data = {(folder_ / "data.jsonl").string()};
    out.output = (folder_ / "adapter").string();
    out.rank = 4;
    out.rate = 0.01;
    out.passes = 8;
    out.batch = 3;
    return out;
  }
  std::string answer(const std::string& model, const std::string& adapter) {
    GenerateRequest asked;
    asked.model = model;
    asked.adapter = adapter;
    asked.chat = true;
    asked.prompt = "What colour is the lantern of Sudar?";
    asked.tokens = 24;
    return generate(
               asked, 0, [](std::string_view) {}, team_, silent_)
        .answer.text;
  }
  static std::string bytes(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string refused(const TuneRequest& asked) {
    return sample::refusal([&] { tune(asked, team_, silent_); });
  }

  fs::path folder_;
  Team team_{2};
  Silent silent_;
};

TEST_F(Tune, IsSaidByTheModelWithTheAdapterAndByWhatIsMadeOfBoth) {
  const TuneOutcome done = tune(request(), team_, silent_);
  EXPECT_GT(done.lora.best, 0u);
  EXPECT_EQ(done.answers, 6);
  const std::string adapter = request().output;
  EXPECT_EQ(answer("models/demo", "").find("green"), std::string::npos);
  EXPECT_NE(answer("models/demo", adapter).find("green"), std::string::npos);

  QuantizeRequest merge;
  merge.model = "models/demo";
  merge.adapter = adapter;
  merge.to = {"gguf:q8_0=" + (folder_ / "merged.gguf").string()};
  quantize(merge, team_, silent_);
  EXPECT_NE(answer((folder_ / "merged.gguf").string(), "").find("green"), std::string::npos);
  // The adapter's folder stands for its base model with it.
  EXPECT_NE(answer(adapter, "").find("green"), std::string::npos);
}

// The base coded in 4 bits, which stays as it is; the adapter in a file of llama.cpp's.
TEST_F(Tune, GoesOverAQuantizedModel) {
  QuantizeRequest coded;
  coded.model = "models/demo";
  const std::string base = (folder_ / "base").string();
  coded.to = {"hf-bnb:nf4=" + base};
  quantize(coded, team_, silent_);
  const std::string before = bytes(folder_ / "base" / "model.safetensors");
  TuneRequest asked = request();
  asked.model = base;
  asked.output += ".gguf";
  const TuneOutcome done = tune(asked, team_, silent_);
  EXPECT_LT(done.lora.looks[done.lora.best].held_out, 0.5 * done.lora.looks[0].held_out);
  EXPECT_EQ(bytes(folder_ / "base" / "model.safetensors"), before);
  EXPECT_NE(answer(base, asked.output).find("green"), std::string::npos);
}

TEST_F(Tune, WritesTheSameBytesForEveryNumberOfThreads) {
  TuneRequest asked = request();
  asked.passes = 1;
  std::vector<std::string> written;
  for (const int threads : {1, 3}) {
    asked.force = true;
    tune(asked, Team(threads), silent_);
    written.push_back(bytes(folder_ / "adapter" / peft::kTensorsFile) +
                      bytes(folder_ / "adapter" / peft::kConfigFile));
  }
  EXPECT_EQ(written[0], written[1]);
}

TEST_F(Tune, TakesTheRolesThatAreAskedFor) {
  TuneRequest asked = request();
  asked.roles = "query,layers.0.value";
  asked.dry_run = true;
  const TuneOutcome planned = tune(asked, team_, silent_);
  EXPECT_TRUE(planned.lora.looks.empty());
  EXPECT_FALSE(fs::exists(asked.output));
  EXPECT_GT(planned.memory_bytes, planned.bytes);
  asked.dry_run = false;
  const TuneOutcome done = tune(asked, team_, silent_);
  EXPECT_EQ(done.memory_bytes, planned.memory_bytes);
  const peft::Adapter adapter = peft::read(asked.output);
  EXPECT_EQ(std::ssize(adapter.modules), planned.matrices);
  EXPECT_EQ(adapter.base, "models/demo");
  // Other values have none, so names are in full.
  const std::string config = bytes(folder_ / "adapter" / peft::kConfigFile);
  EXPECT_NE(config.find("\"model.layers.0.self_attn.v_proj\""), std::string::npos);
  EXPECT_EQ(config.find("\"v_proj\""), std::string::npos);
}

TEST_F(Tune, RefusesWhatCannotBe) {
  const auto with = [&](auto change) {
    TuneRequest asked = request();
    change(asked);
    return refused(asked);
  };
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  };
  EXPECT_EQ(with([](TuneRequest& r) { r.method = "full"; }),
            "`method`: no such way to tune: expected lora, found full");
  EXPECT_EQ(with([](TuneRequest& r) { r.rank = 0; }),
            "`rank`: out of range: expected 1 to 65536, found 0");
  EXPECT_NE(with([](TuneRequest& r) { r.roles = "embedding"; }).find("no linear of the layers"),
            std::string::npos);
  EXPECT_NE(with([&](TuneRequest& r) { r.data = {write("empty", "")}; }).find("nothing in it"),
            std::string::npos);
  EXPECT_NE(with([](TuneRequest& r) { r.max_tokens = 8; }).find("every answer is too long"),
            std::string::npos);
  EXPECT_NE(with([](TuneRequest& r) { r.memory = 1000; }).find("does not fit the memory budget"),
            std::string::npos);
  EXPECT_NE(with([](TuneRequest& r) { r.rate = 1e3; }).find("nothing that was learned is better"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(request().output));
}

}  // namespace
}  // namespace zp
