// The chat templates that a tokenizer brings, and which of them takes a conversation.
#pragma once

#include <optional>
#include <string>

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace zp {

class ChatTemplates {
 public:
  /// Borrows the tokenizer; `where` is its place, for messages. Templates are read when they are
  /// needed.
  ChatTemplates(const Tokenizer& tokenizer, std::string where);

  /// By the template named "tool_use" where the conversation has tools and there is such a one,
  /// else by the default. Throws Error when there is none, and as ChatTemplate does.
  std::string render(const Chat& chat, bool add_generation_prompt = false,
                     std::time_t now = kDateOfTexts);
  /// Whether some template names the function that tells the date.
  bool may_tell_date() const;

 private:
  const ChatTemplate& read(std::optional<ChatTemplate>& slot, const std::string& source) const;
  const Tokenizer& tokenizer_;
  std::string where_;
  ChatOptions options_;
  std::optional<ChatTemplate> default_, tool_use_;
};

}  // namespace zp
