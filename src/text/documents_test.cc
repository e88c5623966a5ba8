#include "text/documents.h"

#include <gtest/gtest.h>

#include "base/error.h"
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
  tokenizer.add_bos = true;
  tokenizer.chat_template = chat_template;
  return tokenizer;
}

const std::vector<Document> kDocuments = {{"ab", {}}, {"", {{"user", "c"}, {"assistant", "d"}}}};

TEST(Documents, ConversationsGoThroughTheTemplateWhichPutsBosItself) {
  const Tokenizer tokenizer =
      tokenizer_with("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}");
  const Encoder encoder(tokenizer, "t");
  const auto ids = encode_documents(kDocuments, tokenizer, "t", true);
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], encoder.encode("ab", true));
  EXPECT_EQ(ids[1], encoder.encode("cd", true));
  EXPECT_EQ(ids[1].size(), 3u);
  EXPECT_EQ(encode_documents(kDocuments, tokenizer, "t", false)[0].size(), 2u);
}

TEST(Documents, ConversationsNeedATemplate) {
  const Tokenizer tokenizer = tokenizer_with("");
  EXPECT_THROW(encode_documents(kDocuments, tokenizer, "t", true), Error);
  EXPECT_EQ(encode_documents(std::span(kDocuments).first(1), tokenizer, "t", true).size(), 1u);
}

}  // namespace
}  // namespace zp
