#include "text/chat_template.h"

#include <utility>

#include "text/chat.h"

namespace zp {
namespace {

// Without fields that are null; what a model thought under the names that templates know.
Json given(const Json& message) {
  Json fields = Json::object();
  for (const auto& [key, value] : message.items()) {
    if (!value.is_null()) fields[key] = value;
  }
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const Json* thought = fields.find(name);
    if (thought == nullptr) continue;
    Json named = {{"thinking", *thought}};
    for (const auto& [key, value] : fields.items()) named[key] = value;
    named["reasoning_content"] = *thought;
    return named;
  }
  return fields;
}

}  // namespace

std::string ChatTemplate::render(const Chat& chat, const ChatOptions& options) const {
  Json messages = Json::array();
  for (const Json& message : chat.messages) messages.push_back(given(message));
  Json variables = {{"messages", std::move(messages)},
                    {"tools", nullptr},
                    {"documents", nullptr},
                    {"add_generation_prompt", options.add_generation_prompt}};
  for (const auto& [name, text] : options.special_tokens) variables[name] = text;
  variables.update(chat.variables);
  return program_.render(variables, options.now);
}

}  // namespace zp
