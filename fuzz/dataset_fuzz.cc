// Data sets: what is accepted holds something, and all of it is UTF-8.
#include <cstdlib>

#include "base/error.h"
#include "base/utf8.h"
#include "text/chat.h"
#include "text/dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  try {
    const auto documents = zp::parse_dataset({reinterpret_cast<const char*>(data), bytes}, "input");
    if (documents.empty()) std::abort();
    for (const zp::Document& document : documents) {
      if (!zp::is_utf8(document.text)) std::abort();
      if (!document.is_chat()) continue;
      for (const zp::Json& message : document.chat->messages) {
        if (!message.at("role").is_string()) std::abort();
      }
      if (!document.chat->variables.is_object()) std::abort();
    }
  } catch (const zp::Error&) {
  }
  return 0;
}
