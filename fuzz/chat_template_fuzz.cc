// Chat templates: whatever is read must end, with text or one Error, in bounded time and memory.
#include "base/error.h"
#include "text/chat.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const zp::Chat kChat = {
      {{{"role", "system"}, {"content", "Be brief."}},
       {{"role", "user"}, {"content", " Hi\n<x> "}},
       {{"role", "assistant"}, {"content", "\xE0\xA6\x86 'q' \"r\""}, {"thinking", "t"}}},
      {{"tools", {{{"function", {{"name", "f"}, {"n", 1.5}}}}}}, {"z", nullptr}}};
  zp::ChatOptions options;
  options.add_generation_prompt = true;
  options.special_tokens = {{"bos_token", "<s>"}};
  try {
    const zp::ChatTemplate chat({reinterpret_cast<const char*>(data), bytes}, "input");
    chat.render(kChat, options);
  } catch (const zp::Error&) {
  }
  return 0;
}
