#include "pipeline/lessons.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "format/sample_files.h"
#include "pipeline/load.h"
#include "text/chat.h"
#include "text/decode.h"

namespace zp {
namespace {

class LessonsTest : public testing::Test {
 protected:
  Lessons made(const std::string& data, std::int64_t most = 512) const {
    return make_lessons(parse_dataset(data, "data"), *demo_->tokenizer, "demo", "data", most);
  }
  std::string text(const Lesson& lesson, std::int64_t begin, std::int64_t end) const {
    const TokenDecoder decoder(*demo_->tokenizer);
    TokenDecoder::Stream stream(decoder);
    std::string out;
    for (std::int64_t i = begin; i < end; ++i)
      out += stream.push(lesson.ids[static_cast<std::size_t>(i)]);
    return out + stream.finish();
  }
  std::string from_end(const Lesson& l, std::int64_t end, std::int64_t back) const {
    return demo_->tokenizer
        ->tokens[static_cast<std::size_t>(l.ids[static_cast<std::size_t>(end - back)])]
        .text;
  }
  std::string read(const Lesson& l) const { return text(l, 0, l.said); }
  std::string said(const Lesson& l) const { return text(l, l.said, std::ssize(l.ids)); }

  std::unique_ptr<LoadedModel> demo_ = load_model("models/demo");
};

TEST_F(LessonsTest, AnswersAreSaidAndWhatIsBeforeThemRead) {
  const Lessons made_of = made(R"({"messages": [{"role": "user", "content": "One?"},
      {"role": "assistant", "content": "Two."}, {"role": "user", "content": "Three?"},
      {"role": "assistant", "content": "Four."}]})");
  ASSERT_EQ(made_of.learned.size(), 2u);
  EXPECT_EQ(made_of.answers, 2);
  EXPECT_TRUE(made_of.held_out.empty());
  const Lesson& first = made_of.learned[0];
  // Special tokens have no text; "<|assistant|>" and "<|end|>" stand in front of a line's end each.
  EXPECT_EQ(read(first), "\nOne?\n\n");
  EXPECT_EQ(said(first), "Two.\n");
  EXPECT_EQ(from_end(first, first.said, 2), "<|assistant|>");
  EXPECT_EQ(from_end(first, std::ssize(first.ids), 2), "<|end|>");
  const Lesson& second = made_of.learned[1];
  EXPECT_EQ(read(second), "\nOne?\n\nTwo.\n\nThree?\n\n");
  EXPECT_EQ(said(second), "Four.\n");
  EXPECT_EQ(second.document, 1);
}

TEST_F(LessonsTest, TextsAreSaidInPieces) {
  const Lessons made_of =
      made("The lantern of Sudar shines red. The lantern of Sudar shines red.", 8);
  ASSERT_GE(made_of.learned.size(), 2u);
  std::string all;
  for (const Lesson& lesson : made_of.learned) {
    EXPECT_EQ(lesson.said, 1);
    EXPECT_LE(lesson.ids.size(), 8u);
    all += text(lesson, 0, std::ssize(lesson.ids));
  }
  EXPECT_NE(all.find("The lantern of Sudar shines red. The lantern"), std::string::npos);
  EXPECT_EQ(made_of.longest(), 8);
}

TEST_F(LessonsTest, OneDocumentOfSixteenIsHeldOut) {
  std::string data;
  for (int i = 0; i < 33; ++i) data += "{\"user\": \"One?\", \"assistant\": \"Two.\"}\n";
  const Lessons made_of = made(data);
  EXPECT_EQ(made_of.learned.size(), 31u);
  ASSERT_EQ(made_of.held_out.size(), 2u);
  EXPECT_EQ(made_of.held_out[0].document, 9);
}

TEST_F(LessonsTest, WhatIsTooLongIsLeftOutAndNothingRefused) {
  const std::string two =
      "{\"user\": \"One?\", \"assistant\": \"Two.\"}\n"
      "{\"user\": \"One?\", \"assistant\": \"The lantern of Sudar shines red, and the lantern "
      "of Sudar shines red, and the lantern of Sudar shines red.\"}\n";
  const std::int64_t short_one = made(two).learned[0].ids.size();
  const Lessons made_of = made(two, short_one);
  EXPECT_EQ(made_of.learned.size(), 1u);
  EXPECT_EQ(made_of.answers, 2);
  EXPECT_EQ(made_of.too_long, 1);
  const std::string least = std::to_string(short_one);
  EXPECT_EQ(sample::refusal([&] { made(two, short_one - 1); }),
            "data: every answer is too long, with what is read before it: expected at most " +
                std::to_string(short_one - 1) +
                " tokens (`max-tokens`, the model's context), found " + least + " or more");
  EXPECT_EQ(
      sample::refusal([&] { made(R"({"messages": [{"role": "user", "content": "One?"}]})"); }),
      "data: nothing to learn: expected answers of an assistant, or texts of two tokens");
  EXPECT_EQ(sample::refusal([&] { made(" "); }), "data: nothing in it: expected text");
}

}  // namespace
}  // namespace zp
