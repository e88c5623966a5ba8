// SentencePiece's precompiled_charsmap: which characters a normalizer (NFKC and such) replaces by
// what.
//
//   u32 bytes of the trie (little endian), the trie, the replacements (each ends with a zero byte)
//
// The trie is a double array of darts-clone, u32 units: bits 10-30 offset (times 256 with bit 9
// set), bit 8 "a leaf follows", bits 0-7 and 31 label; a leaf's bits 0-30 are where its replacement
// begins. Source: sentencepiece's normalizer.cc, darts.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

class CharacterMap {
 public:
  /// An empty blob maps nothing. Throws Error at `where` for damage.
  CharacterMap(std::string_view blob, const std::string& where);

  bool empty() const { return units_.empty(); }

  struct Replacement {
    std::size_t bytes = 0;  ///< of the text that are replaced
    std::string_view by;
  };
  /// Of all entries that `text` begins with the longest (libsentencepiece) or the shortest.
  std::optional<Replacement> longest(std::string_view text) const;
  std::optional<Replacement> shortest(std::string_view text) const;

 private:
  std::optional<Replacement> find(std::string_view text, bool stop_at_first) const;
  std::string_view replacement(std::size_t place) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace zp
