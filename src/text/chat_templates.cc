#include "text/chat_templates.h"

#include <algorithm>

#include "base/error.h"
#include "text/chat.h"

namespace zp {
namespace {

const std::string* tool_template_of(const Tokenizer& tokenizer) {
  const auto& all = tokenizer.named_templates;
  const auto found =
      std::ranges::find(all, "tool_use", &std::pair<std::string, std::string>::first);
  return found == all.end() ? nullptr : &found->second;
}

bool has_tools(const Chat& chat) {
  const auto tools = chat.variables.find("tools");
  return tools != chat.variables.end() && !tools->is_null();
}

}  // namespace

ChatTemplates::ChatTemplates(const Tokenizer& tokenizer, std::string where)
    : tokenizer_(tokenizer), where_(std::move(where)) {
  options_.special_tokens = tokenizer.named_tokens;
}

const ChatTemplate& ChatTemplates::read(std::optional<ChatTemplate>& slot,
                                        const std::string& source) const {
  if (!slot) slot.emplace(source, where_ + ": chat template");
  return *slot;
}

std::string ChatTemplates::render(const Chat& chat, bool add_generation_prompt, std::time_t now) {
  options_.add_generation_prompt = add_generation_prompt;
  options_.now = now;
  const std::string* tool_use = has_tools(chat) ? tool_template_of(tokenizer_) : nullptr;
  if (tool_use != nullptr) return read(tool_use_, *tool_use).render(chat, options_);
  if (tokenizer_.chat_template.empty())
    throw Error(where_, "has no chat template, which conversations need");
  return read(default_, tokenizer_.chat_template).render(chat, options_);
}

bool ChatTemplates::may_tell_date() const {
  const auto tells = [](const std::string& text) {
    return text.find("strftime_now") != std::string::npos;
  };
  const std::string* tool_use = tool_template_of(tokenizer_);
  return tells(tokenizer_.chat_template) || (tool_use != nullptr && tells(*tool_use));
}

}  // namespace zp
