#include "pipeline/calibration_text.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace zp {
namespace {

using Words = std::vector<std::string>;

TextSources parse(const Words& words) { return parse_text_sources(words, "`calibrate`"); }

TEST(CalibrationText, TellsOwnTextFromFiles) {
  EXPECT_FALSE(parse({"a.txt", "./own", "own.txt", "owner"}).own);
  const TextSources mixed = parse({"a.txt", "own", "b.txt"});
  EXPECT_EQ(mixed.files, (Words{"a.txt", "b.txt"}));
  EXPECT_DOUBLE_EQ(mixed.own->share, 1.0 / 3);
  EXPECT_EQ(parse({"own"}).own->share, 1);
}

TEST(CalibrationText, TakesMoreTokensForWiderInputs) {
  Decoder d;
  d.hidden = 576;
  d.heads = 9;
  d.head_dim = 64;
  d.ffn = 1536;
  EXPECT_EQ(auto_tokens(d, 512), 16384);
  d.ffn = 8192;
  EXPECT_EQ(auto_tokens(d, 512), 8 * 8192);
  EXPECT_EQ(auto_tokens(d, 1000), 65000);
  d.ffn = 53248;
  EXPECT_EQ(auto_tokens(d, 512), 131072);
}

TEST(CalibrationText, ReadsTheOptionsOfOwnText) {
  const OwnSource own =
      *parse({"own:0.25,temperature=0.7,length=128,seed=3,weights=int4:g32", "a.txt"}).own;
  EXPECT_EQ(own.share, 0.25);
  EXPECT_EQ(own.options.temperature, 0.7);
  EXPECT_EQ(own.options.length, 128);
  EXPECT_EQ(own.options.seed, 3u);
  EXPECT_EQ(own.options.weights, "int4:g32");
  for (const char* word : {"own:", "own:2", "own:0", "own:x=1", "own:temperature=0",
                           "own:temperature=", "own:length=2", "own:seed=-1", "own:seed=1,",
                           "own:nan", "own:weights=", "own:weights=int99"})
    EXPECT_THROW(parse({word, "a.txt"}), UsageError) << word;
  EXPECT_THROW(parse({"own:0.5"}), UsageError);
  EXPECT_THROW(parse({"own", "own:seed=1"}), UsageError);
}

TEST(CalibrationText, GivesEveryKindItsPartOfTheWindows) {
  const std::unique_ptr<LoadedModel> loaded = load_model("models/demo");
  std::string sheep;
  std::string boats;
  for (int i = 0; i < 1000; ++i) {
    sheep += "sheep ";
    boats += "boats ";
  }
  const std::vector<Document> files = {{.text = boats}};
  OwnText own;
  own.documents = {{.text = sheep}};
  const auto windows = [&](const Words& words, const OwnText* text, std::int64_t tokens) {
    return windows_of(parse(words), files, text, &*loaded->tokenizer, "demo", tokens, 16);
  };
  EXPECT_EQ(windows({"own"}, &own, 160).size(), 10u);
  for (const auto& [word, count] : {std::pair("own", 5), {"own:0.3", 3}, {"own:0.01", 1}}) {
    auto expected = windows({"own"}, &own, 16 * count);
    for (auto& window : windows({"a"}, nullptr, 160 - 16 * count))
      expected.push_back(std::move(window));
    const auto mixed = windows({"a", word}, &own, 160);
    EXPECT_EQ(mixed, expected) << word;
    EXPECT_NE(mixed.front(), mixed.back());
    const auto before = windows({"a", word}, nullptr, 160);
    ASSERT_EQ(before.size(), 10u);
    EXPECT_EQ(before.front(), std::vector<TokenId>(16));
    EXPECT_EQ(before.back(), mixed.back());
  }
  EXPECT_THROW(windows({"a", "own"}, nullptr, 31), Error);
  EXPECT_THROW(windows({"own"}, nullptr, 15), Error);
}

}  // namespace
}  // namespace zp
