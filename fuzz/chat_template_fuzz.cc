// Chat templates: whatever is read must end, with text or one Error, in bounded time and memory.
#include <span>

#include "base/error.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const zp::ChatMessage kMessages[] = {
      {"system", "Be brief."}, {"user", " Hi\n<x> "}, {"assistant", "\xE0\xA6\x86 'q' \"r\""}};
  zp::ChatOptions options;
  options.add_generation_prompt = true;
  options.bos_token = "<s>";
  options.variables = {{"tools", {{{"function", {{"name", "f"}, {"n", 1.5}}}}}}, {"z", nullptr}};
  try {
    const zp::ChatTemplate chat({reinterpret_cast<const char*>(data), bytes}, "input");
    chat.render(kMessages, options);
  } catch (const zp::Error&) {
  }
  return 0;
}
