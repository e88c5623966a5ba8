#include "pipeline/kept_own_text.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"

namespace zp {
namespace {

namespace fs = std::filesystem;

const std::string kDemo = "models/demo";

class KeptOwnText : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  OwnText text(std::int64_t streams = 16, std::uint64_t seed = 0) const {
    const Team team(2);
    Silent silent;
    return kept_or_written(folder_, *loaded_, {.length = 96, .seed = seed}, 600, streams, team,
                           silent);
  }

  std::unique_ptr<LoadedModel> loaded_ = load_model(kDemo);
  fs::path folder_ = fs::temp_directory_path() / "kept_own_text";
};

TEST_F(KeptOwnText, IsReadBackAsItWasWritten) {
  const OwnText written = text();
  ASSERT_TRUE(fs::exists(folder_ / "own-text"));
  // No more could be written: it comes from the folder.
  for (Token& token : loaded_->tokenizer->tokens) token.type = TokenType::unused;
  const OwnText kept = text(3);
  EXPECT_EQ(to_jsonl(kept.documents), to_jsonl(written.documents));
  EXPECT_EQ(kept.tokens, written.tokens);
  EXPECT_EQ(kept.conversations, written.conversations);
  EXPECT_EQ(kept.restarted, written.restarted);
  EXPECT_EQ(kept.left_out, written.left_out);
  EXPECT_EQ(kept.begin, written.begin);
}

TEST_F(KeptOwnText, OfAnotherRunIsRefused) {
  text();
  EXPECT_THROW(text(16, 1), Error);
}

TEST_F(KeptOwnText, ThatIsDamagedIsRefused) {
  text();
  std::fstream file(folder_ / "own-text", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file.put('#');
  file.close();
  EXPECT_THROW(text(), Error);
}

}  // namespace
}  // namespace zp
