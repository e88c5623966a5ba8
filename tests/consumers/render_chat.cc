// render_chat < CASES > RESULTS
// Renders chat templates, a JSON object a line. In: {"template", "messages", "options"}, where
// options may have add_generation_prompt, "special_tokens", now, and "variables". Out: {"text"} or
// {"error"}.
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "text/chat.h"
#include "text/chat_template.h"

namespace {

zp::Json answer(const zp::Json& question) {
  const zp::JsonFields fields(question, "case");
  zp::Chat chat;
  chat.messages = fields.at("messages");
  const zp::JsonFields given(fields.at("options"), "options");
  zp::ChatOptions options;
  options.add_generation_prompt = given.boolean("add_generation_prompt", false);
  for (const auto& [name, text] : given.at("special_tokens").items())
    options.special_tokens.emplace_back(name, text.get<std::string>());
  options.now = given.integer("now", 0);
  if (given.has("variables")) chat.variables = given.at("variables");
  try {
    return {{"text", zp::ChatTemplate(fields.text("template"), "template").render(chat, options)}};
  } catch (const zp::Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

int main() {
  try {
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << answer(zp::parse_json(line, "case")).dump() << '\n' << std::flush;
    }
  } catch (const zp::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
