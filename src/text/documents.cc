#include "text/documents.h"

#include <optional>

#include "base/error.h"
#include "text/encode.h"

namespace zp {

ChatTemplate chat_template_of(const Tokenizer& tokenizer, const std::string& where) {
  if (tokenizer.chat_template.empty())
    throw Error(where, "has no chat template, which conversations need");
  return {tokenizer.chat_template, where + ": chat template"};
}

ChatOptions chat_options_of(const Tokenizer& tokenizer) {
  const auto text_of = [&](const std::optional<std::int64_t>& id) {
    return id ? tokenizer.tokens.at(static_cast<std::size_t>(*id)).text : std::string();
  };
  ChatOptions options;
  options.bos_token = text_of(tokenizer.bos);
  options.eos_token = text_of(tokenizer.eos);
  return options;
}

std::vector<std::vector<TokenId>> encode_documents(std::span<const Document> documents,
                                                   const Tokenizer& tokenizer,
                                                   const std::string& where, bool add_special) {
  const Encoder encoder(tokenizer, where);
  const ChatOptions options = chat_options_of(tokenizer);
  std::optional<ChatTemplate> chat;
  std::vector<std::vector<TokenId>> all;
  for (const Document& document : documents) {
    if (document.messages.empty()) {
      all.push_back(encoder.encode(document.text, add_special));
      continue;
    }
    if (!chat) chat = chat_template_of(tokenizer, where);
    all.push_back(encoder.encode(chat->render(document.messages, options), false));
  }
  return all;
}

}  // namespace zp
