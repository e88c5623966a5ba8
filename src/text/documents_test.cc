#include "text/documents.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/chat.h"
#include "text/encode.h"

namespace zp {
namespace {

// Bytes, and BOS in front of every text.
Tokenizer tokenizer_with(const std::string& chat_template) {
  Tokenizer tokenizer;
  tokenizer.kind = TokenizerKind::plain_bpe;
  for (char c = ' '; c < 0x7F; ++c)
    tokenizer.tokens.push_back({std::string(1, c), 0, TokenType::normal});
  tokenizer.bos = static_cast<std::int64_t>(tokenizer.tokens.size());
  tokenizer.tokens.push_back({"<s>", 0, TokenType::control});
  tokenizer.added.push_back({*tokenizer.bos, "<s>", true});
  tokenizer.named_tokens = {{"bos_token", "<s>"}};
  tokenizer.add_bos = true;
  tokenizer.chat_template = chat_template;
  return tokenizer;
}

Json message(const char* role, const char* content) {
  return {{"role", role}, {"content", content}};
}

const std::vector<Document> kDocuments = {
    {.text = "ab"},
    {.chat = std::make_shared<Chat>(
         Chat{Json::array({message("user", "c"), message("assistant", "d")}), Json::object()})}};

std::vector<std::vector<TokenId>> encode(std::span<const Document> documents,
                                         const Tokenizer& tokenizer, bool add_special) {
  std::vector<std::vector<TokenId>> all;
  encode_documents(documents, tokenizer, "t", add_special,
                   [&](std::vector<TokenId> ids) { all.push_back(std::move(ids)); });
  return all;
}

TEST(Documents, ConversationsGoThroughTheTemplateWhichPutsBosItself) {
  const Tokenizer tokenizer =
      tokenizer_with("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}");
  const Encoder encoder(tokenizer, "t");
  const auto ids = encode(kDocuments, tokenizer, true);
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], encoder.encode("ab", true));
  EXPECT_EQ(ids[1], encoder.encode("cd", true));
  EXPECT_EQ(ids[1].size(), 3u);
  EXPECT_EQ(encode(kDocuments, tokenizer, false)[0].size(), 2u);
  EXPECT_EQ(encode_together(kDocuments, tokenizer, "t").size(), 6u);
}

TEST(Documents, ConversationsNeedATemplate) {
  const Tokenizer tokenizer = tokenizer_with("");
  EXPECT_THROW(encode(kDocuments, tokenizer, true), Error);
  EXPECT_EQ(encode(std::span(kDocuments).first(1), tokenizer, true).size(), 1u);
}

TEST(Documents, ToolsChooseTheTemplateThatIsForThem) {
  Tokenizer tokenizer = tokenizer_with("A");
  tokenizer.named_templates = {{"rag", "R"}, {"tool_use", "T"}};
  std::vector<Document> documents(2, kDocuments[1]);
  Chat chat = *kDocuments[1].chat;
  chat.variables["tools"] = Json::array();
  documents[1].chat = std::make_shared<Chat>(chat);
  const auto ids = encode(documents, tokenizer, true);
  const Encoder encoder(tokenizer, "t");
  EXPECT_EQ(ids[0], encoder.encode("A", false));
  EXPECT_EQ(ids[1], encoder.encode("T", false));
}

TEST(Documents, SaysWhatNothingReads) {
  const Tokenizer tokenizer = tokenizer_with(
      "{% for m in messages %}{{ m.content }}{{ m.name }}{% endfor %}{{ style }}"
      "{{ strftime_now('%d %b %Y') }}");
  std::vector<Document> documents = {kDocuments[1], kDocuments[1], kDocuments[0]};
  for (std::size_t i = 0; i < 2; ++i) {
    Chat chat = *documents[i].chat;
    chat.messages[1]["name"] = i == 0 ? "" : "n";
    chat.messages[0]["weight"] = 0;
    chat.variables["tools"] = Json::array({Json::object()});
    chat.variables["style"] = "x";
    documents[i].chat = std::make_shared<Chat>(chat);
  }
  documents[2].passed_over = {"id"};
  EXPECT_EQ(unread_notes(documents, tokenizer, "t"),
            (std::vector<std::string>{
                "field \"id\" of 1 row is not read",
                "field \"tools\" of 2 conversations is not read by the chat template",
                "field \"weight\" of messages in 2 conversations is not read by the chat template",
                "chat template tells the date: always 26 July 2024 in texts, so that they stay the "
                "same"}));
  EXPECT_TRUE(unread_notes(kDocuments, tokenizer_with("{{ messages[0].content }}"), "t").empty());
}

TEST(Documents, TellsOneDateInAllTexts) {
  const Tokenizer tokenizer = tokenizer_with("{{ strftime_now('%d %b %Y, %H') }}");
  EXPECT_EQ(encode(std::span(kDocuments).last(1), tokenizer, false)[0],
            Encoder(tokenizer, "t").encode("26 Jul 2024, 00", false));
}

}  // namespace
}  // namespace zp
