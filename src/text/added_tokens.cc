#include "text/added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "text/normalize.h"

namespace zp {
namespace {

// Every place of a text may be compared to this depth; real ones have up to a hundred bytes.
constexpr std::size_t kMaxBytes = 1024;

// Letters, marks, decimal digits, connectors and joiners, as Rust's regex takes \w.
bool is_word_character(char32_t c) {
  if (c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9)) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

// Where the character that ends at `end` begins; text is UTF-8.
std::size_t before(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80);
  return end;
}

char32_t code_point_at(std::string_view text, std::size_t place) {
  return next_code_point(text, place);
}

bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && is_word_character(code_point_at(text, before(text, begin)))) ||
         (end < text.size() && is_word_character(code_point_at(text, end)));
}

std::size_t first_byte(std::string_view text, std::size_t place) {
  return static_cast<unsigned char>(text[place]);
}

}  // namespace

void AddedTokenFinder::add(const AddedToken& token, std::string_view text,
                           const std::string& where) {
  if (text.empty()) return;
  if (text.size() > kMaxBytes) {
    throw Error(where, "added token " + std::to_string(token.id) + " is too long",
                "at most " + std::to_string(kMaxBytes) + " bytes", std::to_string(text.size()));
  }
  trie_.set(text, tokens_.size());
  tokens_.push_back(
      {static_cast<TokenId>(token.id), token.lstrip, token.rstrip, token.single_word});
  if (text.size() == 1) {
    singles_.set(first_byte(text, 0));
  } else {
    pairs_.set(first_byte(text, 0) << 8 | first_byte(text, 1));
  }
}

AddedTokenFinder::Found AddedTokenFinder::longest_at(std::string_view text,
                                                     std::size_t place) const {
  Found found;
  trie_.prefixes(text, place, [&](std::size_t bytes, std::uint64_t index) {
    found = {bytes, &tokens_[index]};
  });
  return found;
}

std::vector<AddedTokenFinder::Match> AddedTokenFinder::find(std::string_view text) const {
  std::vector<Match> matches;
  if (tokens_.empty()) return matches;
  std::size_t last_end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t first = first_byte(text, i);
    const bool possible =
        singles_[first] || (i + 1 < text.size() && pairs_[first << 8 | first_byte(text, i + 1)]);
    const Found found = possible ? longest_at(text, i) : Found();
    if (found.token == nullptr) {
      ++i;
      continue;
    }
    std::size_t begin = i, end = i + found.bytes;
    i = end;
    if (found.token->single_word && touches_word(text, begin, end)) continue;
    while (found.token->lstrip && begin > last_end &&
           is_white_space(code_point_at(text, before(text, begin)))) {
      begin = before(text, begin);
    }
    while (found.token->rstrip && end < text.size()) {
      std::size_t next = end;
      if (!is_white_space(next_code_point(text, next))) break;
      end = next;
    }
    // A token that begins with white space may lie in what the one before it took along.
    begin = std::max(begin, std::min(last_end, end));
    matches.push_back({found.token->id, begin, end});
    last_end = end;
  }
  return matches;
}

}  // namespace zp
