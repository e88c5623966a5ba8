// A model's chat template: how a conversation becomes the text that the model was trained on.
//
// Templates are Jinja programs; the text is that of transformers' apply_chat_template(), byte for
// byte. jinja_parser.h, jinja_filters.h and jinja_globals.h say what is not known here and is
// refused by name, jinja_run.h what a template may spend. A template may be rendered by several
// threads at once.
#pragma once

#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "text/chat_message.h"

namespace zp {

struct ChatOptions {
  bool add_generation_prompt = false;
  std::string bos_token;
  std::string eos_token;
  /// Further variables, such as "tools" or "enable_thinking": an object. They come last and may
  /// replace all others, "messages" too.
  Json variables = Json::object();
  /// What strftime_now() takes for now, as seconds since 1970; read as UTC.
  std::time_t now = 0;
};

class ChatTemplate {
 public:
  /// `source` as it stands in tokenizer_config.json; `where` is what messages begin with.
  /// Throws Error with the line of what can't be read or isn't known.
  ChatTemplate(std::string_view source, std::string where);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// Throws Error where the template refuses (raise_exception), fails, or takes too much.
  std::string render(std::span<const ChatMessage> messages, const ChatOptions& options) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
  std::string where_;
};

}  // namespace zp
