// Jinja templates: whatever is read must end, with text or one Error, in bounded time and memory.
#include "base/error.h"
#include "jinja/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const zp::Json kVariables = {
      {"messages",
       {{{"role", "system"}, {"content", "Be brief."}},
        {{"role", "user"}, {"content", " Hi\n<x> "}},
        {{"role", "assistant"}, {"content", "\xE0\xA6\x86 'q' \"r\""}, {"thinking", "t"}}}},
      {"tools", {{{"function", {{"name", "f"}, {"n", 1.5}}}}}},
      {"documents", nullptr},
      {"add_generation_prompt", true},
      {"bos_token", "<s>"},
      {"z", nullptr}};
  try {
    const zp::jinja::Template program({reinterpret_cast<const char*>(data), bytes}, "input");
    program.render(kVariables, 1'721'952'000);
  } catch (const zp::Error&) {
  }
  return 0;
}
