// A model's chat template: how a conversation becomes the text that the model was trained on.
//
// Templates are Jinja programs; what they are given and the text they make are those of
// transformers' apply_chat_template(), byte for byte: fields of messages that are null are left
// out, what a model thought goes by the names "reasoning_content" and "thinking", "tools" and
// "documents" are none where there are none. A template may be rendered by several threads at once.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/template.h"

namespace zp {

struct Chat;

/// What strftime_now() takes for now where texts must be the same every day: 26 July 2024, the date
/// that Llama 3's own template has where it is told none.
inline constexpr std::time_t kDateOfTexts = 1'721'952'000;

struct ChatOptions {
  bool add_generation_prompt = false;
  /// Variables such as "bos_token", and the token's text. Those that aren't here are undefined.
  std::vector<std::pair<std::string, std::string>> special_tokens;
  /// What strftime_now() takes for now, as seconds since 1970; read as UTC.
  std::time_t now = kDateOfTexts;
};

class ChatTemplate {
 public:
  /// `source` as it stands in tokenizer_config.json; `where` is what messages begin with.
  /// Throws Error with the line of what can't be read or isn't known.
  ChatTemplate(std::string_view source, std::string where) : program_(source, std::move(where)) {}

  /// Throws Error where the template refuses (raise_exception), fails, or takes too much.
  std::string render(const Chat& chat, const ChatOptions& options) const;

 private:
  jinja::Template program_;
};

}  // namespace zp
