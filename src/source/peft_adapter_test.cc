#include "source/peft_adapter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "format/peft.h"
#include "format/sample_files.h"
#include "model/sample_models.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

constexpr const char* kQuery = "model.layers.1.self_attn.q_proj";
constexpr const char* kDown = "model.layers.0.mlp.down_proj";

class PeftAdapter : public testing::Test {
 protected:
  PeftAdapter()
      : folder_(fs::temp_directory_path() /
                (std::string("zeropoint_peft_adapter_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())),
        sample_(sample_model("llama", sample_decoder("llama"))) {
    fs::remove_all(folder_);
  }
  ~PeftAdapter() override { fs::remove_all(folder_); }

  // Of rank 2, times 1.5.
  peft::Adapter adapter() const {
    peft::Adapter out;
    out.base = "org/base";
    out.rank = 2;
    out.alpha = 3;
    Random random(3);
    for (const char* name : {kQuery, kDown}) {
      const TensorUse& use = weight(name).use;
      peft::Module module{name, use.cols, use.rows};
      for (std::int64_t i = 0; i < 2 * use.cols; ++i) module.a.push_back(small(random));
      for (std::int64_t i = 0; i < 2 * use.rows; ++i) module.b.push_back(small(random));
      out.modules.push_back(std::move(module));
    }
    return out;
  }
  static float small(Random& random) { return (static_cast<float>(random.below(5)) - 2) / 8; }

  const Weight& weight(const std::string& name) const {
    for (const Weight& w : sample_.model.weights) {
      if (w.use.hf == name + ".weight") return w;
    }
    throw Error("test", "no such weight", {}, name);
  }
  std::vector<float> values(const Weight& w) const {
    std::vector<float> out(static_cast<std::size_t>(w.use.rows * w.use.cols));
    w.rows->read(0, w.use.rows, out.data());
    return out;
  }
  std::string refused(const peft::Adapter& adapter) {
    peft::write(adapter, folder_, true);
    return sample::refusal([&] { add_adapter(sample_.model, folder_); });
  }

  fs::path folder_;
  SampleModel sample_;
};

// Multiples of 1/64, so exact, whatever is read at once.
TEST_F(PeftAdapter, IsAddedToTheMatricesItNames) {
  const peft::Adapter of = adapter();
  peft::write(of, folder_, false);
  const std::vector<float> other = values(weight("model.layers.0.self_attn.q_proj"));
  std::vector<std::vector<float>> expected;
  for (const peft::Module& m : of.modules) {
    std::vector<float>& sum = expected.emplace_back(values(weight(m.name)));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const std::size_t row = i / static_cast<std::size_t>(m.inputs);
      const std::size_t col = i % static_cast<std::size_t>(m.inputs);
      for (std::size_t k = 0; k < 2; ++k)
        sum[i] += 1.5f * m.b[2 * row + k] * m.a[k * static_cast<std::size_t>(m.inputs) + col];
    }
  }
  add_adapter(sample_.model, folder_);
  EXPECT_EQ(values(weight(kQuery)), expected[0]);
  EXPECT_EQ(values(weight(kDown)), expected[1]);
  EXPECT_EQ(values(weight("model.layers.0.self_attn.q_proj")), other);
  EXPECT_NE(sample_.model.notes.back().find("2 tensors of rank 2, times 1.5"), std::string::npos);
  const Weight& w = weight(kQuery);
  std::vector<float> row(static_cast<std::size_t>(w.use.cols));
  w.rows->read(4, 1, row.data());
  EXPECT_TRUE(std::equal(row.begin(), row.end(), expected[0].begin() + 4 * w.use.cols));
}

TEST_F(PeftAdapter, RefusesThatOfAnotherModel) {
  peft::Adapter another = adapter();
  another.modules[0].name = "model.layers.7.self_attn.q_proj";
  EXPECT_EQ(
      refused(another),
      folder_.string() +
          ": module \"model.layers.7.self_attn.q_proj\": the model has no such matrix, so the "
          "adapter is another's: expected \"org/base\"");
  another = adapter();
  peft::Module& query = another.modules[0];
  query.inputs *= 2;
  query.a.resize(2 * query.a.size());
  EXPECT_NE(refused(another).find("the model's matrix has another shape"), std::string::npos);
  EXPECT_EQ(refused(adapter()), "accepted");
}

TEST_F(PeftAdapter, StandsForItsBaseModelWhereThatIsThere) {
  peft::Adapter of = adapter();
  peft::write(of, folder_, false);
  EXPECT_FALSE(base_of_adapter(folder_));
  of.base = "base";  // beside its own files
  peft::write(of, folder_, true);
  EXPECT_FALSE(base_of_adapter(folder_));
  fs::create_directory(folder_ / "base");
  EXPECT_EQ(base_of_adapter(folder_), folder_ / "base");
  std::ofstream(folder_ / "config.json") << "{}";  // of a model that the folder has
  EXPECT_FALSE(base_of_adapter(folder_));
  EXPECT_FALSE(base_of_adapter(folder_ / "config.json"));
}

}  // namespace
}  // namespace zp
