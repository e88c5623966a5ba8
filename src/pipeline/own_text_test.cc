#include "pipeline/own_text.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "pipeline/model_copy.h"
#include "text/chat.h"
#include "text/documents.h"

namespace zp {
namespace {

const std::string kDemo = "models/demo";
constexpr std::int64_t kTokens = 1200;

OwnText write(const LoadedModel& loaded, int threads, std::int64_t streams,
              const OwnTextOptions& options = {.length = 96}, std::int64_t tokens = kTokens) {
  const Team team(threads);
  Silent silent;
  return write_own_text(loaded, options, tokens, streams, team, silent);
}

// The demo knows conversations alone; behind the token that begins its answers it writes texts.
std::unique_ptr<LoadedModel> demo_that_writes_texts() {
  std::unique_ptr<LoadedModel> loaded = load_model(kDemo);
  for (const AddedToken& token : loaded->tokenizer->added) {
    if (token.text == "<|assistant|>") loaded->tokenizer->bos = token.id;
  }
  // So that it doesn't seem to begin turns.
  std::string& source = loaded->tokenizer->chat_template;
  source =
      "<|user|>\n{{ messages[0].content }}<|end|>\n{% if add_generation_prompt %}<|assis" +
      std::string("tant|>\n{% else %}<|assistant|>\n{{ messages[1].content }}<|end|>{% endif %}");
  loaded->tokenizer->add_bos = true;
  return loaded;
}

TEST(OwnText, IsTheSameForEveryNumberOfThreadsAndStreams) {
  const std::unique_ptr<LoadedModel> loaded = demo_that_writes_texts();
  const OwnText one = write(*loaded, 1, 1);
  EXPECT_GE(one.tokens, kTokens);
  EXPECT_GT(one.documents.size(), 10u);
  for (const auto& [threads, streams] : {std::pair(2, 3), {7, 16}, {1, 64}}) {
    const OwnText other = write(*loaded, threads, streams);
    EXPECT_EQ(to_jsonl(other.documents), to_jsonl(one.documents)) << streams;
    EXPECT_EQ(other.tokens, one.tokens);
    EXPECT_EQ(other.restarted, one.restarted);
    EXPECT_EQ(other.left_out, one.left_out);
  }
  const OwnText another = write(*loaded, 2, 16, {.length = 96, .seed = 1});
  EXPECT_NE(to_jsonl(another.documents), to_jsonl(one.documents));
}

TEST(OwnText, OfACopyIsTheCopysOwn) {
  const std::unique_ptr<LoadedModel> loaded = demo_that_writes_texts();
  const OwnTextOptions copied = {.length = 96, .weights = "int4:g32"};
  const OwnText one = write(*loaded, 1, 3, copied);
  EXPECT_EQ(to_jsonl(write(*loaded, 7, 16, copied).documents), to_jsonl(one.documents));
  EXPECT_NE(to_jsonl(write(*loaded, 2, 16).documents), to_jsonl(one.documents));
  // What a copy takes isn't there for documents.
  const std::int64_t copy = ModelCopy::bytes(loaded->model, "int4:g32", "test");
  EXPECT_GT(copy, loaded->model.parameters() / 2);
  EXPECT_LT(copy, loaded->model.parameters());
  const std::int64_t bytes = own_text_streams(loaded->model, {}, 1 << 20, 1 << 30).bytes;
  EXPECT_EQ(
      own_text_streams(loaded->model, {.weights = "int4:g32"}, 1 << 20, copy + 2 * bytes).count, 2);
}

TEST(OwnText, IsReadBackWithAsManyTokens) {
  const std::unique_ptr<LoadedModel> loaded = demo_that_writes_texts();
  const OwnText text = write(*loaded, 2, 16);
  const std::string lines = to_jsonl(text.documents);
  const std::vector<Document> read = parse_dataset(lines, "own");
  EXPECT_EQ(to_jsonl(read), lines);
  EXPECT_EQ(std::ssize(encode_together(read, *loaded->tokenizer, kDemo)), text.tokens);
}

TEST(OwnText, IsTextsAndConversationsByTurns) {
  const std::unique_ptr<LoadedModel> loaded = demo_that_writes_texts();
  const OwnText text = write(*loaded, 2, 16);
  EXPECT_EQ(text.begin, "<|assistant|>");
  EXPECT_NEAR(static_cast<double>(text.conversations),
              static_cast<double>(text.documents.size()) / 2,
              1 + static_cast<double>(text.restarted));
  for (const Document& document : text.documents) {
    if (!document.is_chat()) continue;
    const Json& messages = document.chat->messages;
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0]["role"], "user");
    EXPECT_EQ(messages[1]["role"], "assistant");
    EXPECT_FALSE(messages[0]["content"].get<std::string>().empty());
    EXPECT_FALSE(messages[1]["content"].get<std::string>().empty());
  }
  // Without a template all are texts.
  loaded->tokenizer->chat_template.clear();
  const OwnText plain = write(*loaded, 2, 16);
  EXPECT_EQ(plain.conversations, 0);
  EXPECT_GE(plain.tokens, kTokens);
}

TEST(OwnText, AnswersWhatTheModelAskedItself) {
  const std::unique_ptr<LoadedModel> loaded = load_model(kDemo);
  const OwnText text = write(*loaded, 2, 16, {.temperature = 0.3, .length = 96});
  EXPECT_EQ(text.begin, "<|begin_of_text|>");
  // Its texts begin with a user's turn, so every attempt at one says nothing.
  EXPECT_EQ(text.conversations, std::ssize(text.documents));
  EXPECT_NEAR(static_cast<double>(text.restarted), static_cast<double>(text.documents.size()) / 2,
              2);
  int questions = 0;
  for (const Document& document : text.documents) {
    const auto asked = document.chat->messages[0]["content"].get<std::string>();
    if (asked.ends_with("?") || asked.ends_with(".")) ++questions;
  }
  EXPECT_GT(questions, std::ssize(text.documents) / 2);
}

TEST(OwnText, EndsTheUsersTurnAtItsWordsWhereNoTokenDoes) {
  const std::unique_ptr<LoadedModel> loaded = load_model(kDemo);
  // It ends questions with a mark; behind that the template's words are the model's, too.
  loaded->tokenizer->chat_template =
      "{{ bos_token }}<|user|>\n{% if messages|length == 1 %}{{ messages[0].content }}of Sudar\n"
      "<|assistant|>\n{% else %}{{ messages[0].content }}{{ messages[1].content }}{% endif %}";
  const OwnText text = write(*loaded, 2, 16, {.temperature = 1.5, .length = 96}, 4000);
  for (const Document& document : text.documents) {
    if (!document.is_chat()) continue;
    const auto asked = document.chat->messages[0]["content"].get<std::string>();
    EXPECT_EQ(asked.find("of Sudar"), std::string::npos) << asked;
  }
}

TEST(OwnText, IsRefusedOfAModelThatLoopsOrSaysNothing) {
  const std::unique_ptr<LoadedModel> silent = load_model(kDemo);
  silent->tokenizer->chat_template.clear();
  EXPECT_THROW(write(*silent, 2, 16), Error);

  const std::unique_ptr<LoadedModel> looping = load_model(kDemo);
  for (Token& token : looping->tokenizer->tokens) {
    if (token.text != "e") token.type = TokenType::unused;  // which is never drawn
  }
  try {
    write(*looping, 2, 16);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.parts().what, "the model loops or says nothing");
    EXPECT_TRUE(error.parts().found.starts_with("17 of 17 documents")) << error.what();
  }
}

TEST(OwnText, HasAsManyStreamsAsPayAndHaveRoom) {
  Model model;
  Decoder& d = model.decoder;
  d.layers = 2;
  d.kv_heads = 2;
  d.head_dim = 4;
  d.vocabulary = 100;
  d.context = 256;
  const OwnTextStreams many = own_text_streams(model, {}, 1 << 20, 1 << 30);
  // Keys and values of 2 heads x 4 in 2 layers, 2 bytes each, of 256 tokens.
  EXPECT_EQ(many.bytes, 2 * 2 * 2 * 4 * 2 * 256 + 12 * 100);
  EXPECT_GE(many.count, 8);
  EXPECT_EQ(own_text_streams(model, {}, 1 << 20, 3 * many.bytes + 5).count, 3);
  EXPECT_LE(own_text_streams(model, {}, 300, 1 << 30).count, 3);
  EXPECT_THROW(own_text_streams(model, {}, 300, many.bytes - 1), Error);
  EXPECT_LT(own_text_streams(model, {.length = 64}, 300, 1 << 30).bytes, many.bytes / 3);
}

}  // namespace
}  // namespace zp
