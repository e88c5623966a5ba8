// Encodes and decodes with a tokenizer that came from a fuzzer's bytes.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "text/decode.h"
#include "text/encode.h"

/// Aborts when ids aren't the tokenizer's, or a stream's text isn't that of the whole.
inline void use_tokenizer(const zp::Tokenizer& tokenizer) {
  const zp::Encoder encoder(tokenizer, "input");
  const zp::TokenDecoder decoder(tokenizer);
  const std::string repeated(300, 'a');
  for (const std::string_view text :
       {std::string_view("Hello  world's\n\t12345 <s> a b ab"),
        std::string_view(
            "\xE0\xA6\x95\xE0\xA6\xBE e\xCC\x81\xC3\xA9 \xEF\xBC\xA1 \xF0\x9F\x91\x8D"),
        std::string_view("\xFF\xE2\x96\x81\xE0\xA6"), std::string_view(repeated)}) {
    const std::vector<zp::TokenId> ids = encoder.encode(text, true);
    zp::TokenDecoder::Stream stream(decoder, false);
    std::string streamed;
    for (const zp::TokenId id : ids) {
      if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.tokens.size()) std::abort();
      streamed += stream.push(id);
    }
    streamed += stream.finish();
    if (!tokenizer.clean_up_spaces && streamed != decoder.decode(ids, false)) std::abort();
  }
}
