#include "text/token_model.h"

#include <optional>

namespace zp {
namespace {

// "<0x0A>" as 10.
std::optional<std::size_t> byte_of(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  const std::size_t high = kHex.find(text[3]), low = kHex.find(text[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return high << 4 | low;
}

}  // namespace

std::vector<TokenId> byte_tokens(const Tokenizer& tokenizer) {
  std::vector<TokenId> ids(256, -1);
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (const auto byte = byte_of(tokenizer.tokens[id].text)) ids[*byte] = static_cast<TokenId>(id);
  }
  return ids;
}

std::vector<bool> tokens_of_model(const Tokenizer& tokenizer) {
  std::vector<bool> known(tokenizer.tokens.size(), true);
  for (const AddedToken& token : tokenizer.added) {
    if (token.outside_model) known[static_cast<std::size_t>(token.id)] = false;
  }
  for (std::size_t id = 0; id < known.size(); ++id) {
    // Fillers of holes in the vocabulary.
    if (tokenizer.tokens[id].type == TokenType::unused) known[id] = false;
  }
  return known;
}

}  // namespace zp
