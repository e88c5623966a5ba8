#include "text/merge_table.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "base/error.h"
#include "base/utf8.h"

namespace zp {
namespace {

// Every place where a token may come apart is looked at; real ones have up to a hundred bytes.
constexpr std::size_t kMaxBytes = 1024;

bool is_one_character(std::string_view text) {
  std::size_t i = 0;
  next_code_point(text, i);
  return i == text.size();
}

}  // namespace

MergeTable::MergeTable(const Tokenizer& tokenizer, const std::vector<bool>& of_model,
                       const std::string& where)
    : by_score_(tokenizer.kind == TokenizerKind::sentencepiece_bpe && tokenizer.merges.empty()) {
  if (by_score_) {
    derive_from_scores(tokenizer, where);
  } else {
    read_merges(tokenizer, of_model);
  }
}

bool MergeTable::is_piece(const Token& token) {
  return token.type == TokenType::normal || token.type == TokenType::user_defined;
}

void MergeTable::add(TokenId left, TokenId right, std::size_t rank, TokenId result) {
  pairs_.set(key(left, right),
             static_cast<std::uint64_t>(rank) << 32 | static_cast<std::uint32_t>(result));
}

void MergeTable::read_merges(const Tokenizer& tokenizer, const std::vector<bool>& of_model) {
  std::unordered_map<std::string_view, TokenId> ids;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (of_model[id]) ids.emplace(tokenizer.tokens[id].text, static_cast<TokenId>(id));
  }
  std::string joint;
  for (std::size_t rank = 0; rank < tokenizer.merges.size(); ++rank) {
    const auto& [left, right] = tokenizer.merges[rank];
    joint.assign(left).append(right);
    const auto l = ids.find(left), r = ids.find(right), both = ids.find(joint);
    // Files may name in merges what only added tokens have.
    if (l == ids.end() || r == ids.end() || both == ids.end()) continue;
    add(l->second, r->second, rank, both->second);
  }
}

void MergeTable::derive_from_scores(const Tokenizer& tokenizer, const std::string& where) {
  const auto& tokens = tokenizer.tokens;
  std::unordered_map<std::string_view, TokenId> ids;
  std::vector<double> scores;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const Token& token = tokens[id];
    if (!is_piece(token)) continue;
    if (token.text.size() > kMaxBytes)
      throw Error(where, "token " + std::to_string(id) + " is too long");
    ids.emplace(token.text, static_cast<TokenId>(id));
    scores.push_back(token.score);
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  const auto symbol_of = [&](std::string_view text) -> TokenId {
    const auto place = ids.find(text);
    if (place != ids.end()) return place->second;
    if (!is_one_character(text)) return -1;
    const auto symbol = static_cast<TokenId>(tokens.size() + other_.size());
    other_.emplace_back(text);
    ids.emplace(text, symbol);  // `text` lies in a token's
    return symbol;
  };
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (!is_piece(tokens[id])) continue;
    const std::string_view text = tokens[id].text;
    const auto rank = static_cast<std::size_t>(
        std::lower_bound(scores.begin(), scores.end(), tokens[id].score, std::greater<>()) -
        scores.begin());
    std::size_t split = 0;
    next_code_point(text, split);
    while (split < text.size()) {
      const TokenId left = symbol_of(text.substr(0, split));
      const TokenId right = left < 0 ? -1 : symbol_of(text.substr(split));
      if (right >= 0) add(left, right, rank, static_cast<TokenId>(id));
      next_code_point(text, split);
    }
  }
}

}  // namespace zp
