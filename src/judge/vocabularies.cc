#include "judge/vocabularies.h"

#include <algorithm>

#include "base/error.h"
#include "text/shown.h"

namespace zp {
namespace {

const Token* token_at(const Tokenizer& tokenizer, std::size_t id) {
  return id < tokenizer.tokens.size() ? &tokenizer.tokens[id] : nullptr;
}

bool is_padding(const Token* token) { return token != nullptr && token->type == TokenType::unused; }

bool same(const Token* a, const Token* b) {
  if (is_padding(a) || is_padding(b)) return true;
  return a != nullptr && b != nullptr && a->text == b->text;
}

std::string shown_token(const Token* token) {
  return token == nullptr ? "no such token" : shown(token->text);
}

}  // namespace

void check_same_vocabulary(const Tokenizer& ours, const std::string& where,
                           const Tokenizer& reference, const std::string& reference_where) {
  const std::size_t ids = std::max(ours.tokens.size(), reference.tokens.size());
  for (std::size_t id = 0; id < ids; ++id) {
    const Token* a = token_at(reference, id);
    const Token* b = token_at(ours, id);
    if (same(a, b)) continue;
    throw Error(
        where,
        "vocabulary differs from that of " + reference_where + " at token " + std::to_string(id),
        shown_token(a), shown_token(b));
  }
}

}  // namespace zp
