// Words that are known to be one token, found by their bytes in one look.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

class WordTable {
 public:
  static constexpr TokenId kNone = -1;

  /// A word that is there keeps its id.
  void add(std::string_view word, TokenId id);
  TokenId find(std::string_view word) const {
    if (slots_.empty() || word.size() > longest_) return kNone;
    return slots_[place_of(word, hash_of(word))].id;
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::size_t begin = 0;  // in text_
    std::uint32_t bytes = 0;
    TokenId id = kNone;
  };
  static std::uint64_t hash_of(std::string_view word);
  std::size_t place_of(std::string_view word, std::uint64_t hash) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half used
  std::string text_;
  std::size_t count_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace zp
