// Finds added tokens in a text: leftmost first, of those that begin at one place the longest, and
// none inside another. lstrip, rstrip and single_word are done as `tokenizers` does them: one that
// fails single_word is passed over whole.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "text/split_regex.h"
#include "text/tokenizer.h"

namespace zp {

/// Const use from many threads is safe.
class AddedTokenFinder {
 public:
  /// Throws Error at `where` for a text that is longer than any real one.
  void add(const AddedToken& token, std::string_view text, const std::string& where);

  struct Match {
    TokenId id = 0;
    std::size_t begin = 0;  ///< with the spaces that the token takes along
    std::size_t end = 0;
  };
  std::vector<Match> find(std::string_view text) const;

 private:
  struct Flags {
    TokenId id;
    bool lstrip, rstrip, single_word;
  };
  struct Found {
    std::size_t bytes = 0;
    const Flags* token = nullptr;
  };
  Found longest_at(std::string_view text, std::size_t place) const;

  ByteTrie trie_;
  std::vector<Flags> tokens_;
  std::bitset<1 << 16> pairs_;   // the two bytes that tokens begin with
  std::bitset<1 << 8> singles_;  // tokens of one byte
};

}  // namespace zp
