#include "text/spelling.h"

#include "base/utf8.h"

namespace zp {

void Spelling::add(std::span<const TokenId> ids, const TokenDecoder& decoder) {
  for (const TokenId id : ids) {
    ++tokens;
    if (decoder.is_special(id)) continue;
    bytes += std::ssize(decoder.bytes(id));
    if (!is_utf8(decoder.bytes(id))) ++parts;
  }
}

}  // namespace zp
