// How a tokenizer spells a text: in words, or in pieces of characters.
#pragma once

#include <cstdint>
#include <span>

#include "text/decode.h"

namespace zp {

struct Spelling {
  std::int64_t tokens = 0;
  std::int64_t bytes = 0;  ///< of text; special tokens have none
  std::int64_t parts = 0;  ///< tokens that are no whole characters

  void add(std::span<const TokenId> ids, const TokenDecoder& decoder);

  double bytes_per_token() const { return share(bytes); }
  double share_of_parts() const { return share(parts); }

 private:
  double share(std::int64_t count) const {
    return tokens > 0 ? static_cast<double>(count) / static_cast<double>(tokens) : 0;
  }
};

}  // namespace zp
