// tokenizer.json: what is accepted must encode and decode.
#include "base/error.h"
#include "text/tokenizer_json.h"
#include "use_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  try {
    zp::TokenizerDraft draft;
    zp::parse_tokenizer_json({reinterpret_cast<const char*>(data), bytes}, "input", draft);
    use_tokenizer(draft.take());
  } catch (const zp::Error&) {
  }
  return 0;
}
