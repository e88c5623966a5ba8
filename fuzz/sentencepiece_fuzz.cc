// SentencePiece's tokenizer.model: what is accepted must encode and decode.
#include "base/error.h"
#include "text/sentencepiece_model.h"
#include "use_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  try {
    zp::TokenizerDraft draft;
    const std::string_view file(reinterpret_cast<const char*>(data), bytes);
    zp::use_sentencepiece_model(zp::parse_sentencepiece_model(file, "input"), "input", draft);
    use_tokenizer(draft.take());
  } catch (const zp::Error&) {
  }
  return 0;
}
