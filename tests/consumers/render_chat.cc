// render_chat < CASES > RESULTS
// Renders chat templates, a JSON object a line. In: {"template", "messages", "options"}, where
// options may have add_generation_prompt, bos_token, eos_token, now, and "variables". A case whose
// messages aren't plain gives them in variables. Out: {"text"} or {"error"}.
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "text/chat_template.h"

namespace {

zp::Json answer(const zp::Json& question) {
  const zp::JsonFields fields(question, "case");
  std::vector<zp::ChatMessage> messages;
  for (const zp::Json& message : fields.at("messages")) {
    const zp::JsonFields parts(message, "message");
    messages.push_back({parts.text("role"), parts.text("content")});
  }
  const zp::JsonFields given(fields.at("options"), "options");
  zp::ChatOptions options;
  options.add_generation_prompt = given.boolean("add_generation_prompt", false);
  options.bos_token = given.text("bos_token", "");
  options.eos_token = given.text("eos_token", "");
  options.now = given.integer("now", 0);
  if (given.has("variables")) options.variables = given.at("variables");
  try {
    const zp::ChatTemplate chat(fields.text("template"), "template");
    return {{"text", chat.render(messages, options)}};
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
