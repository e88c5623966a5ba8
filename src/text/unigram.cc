// Unigram: of all ways to cut a word into tokens the one whose scores have the largest sum.
//
// Viterbi from left to right; a path replaces another that ends at the same place only when it is
// better, and candidates come in order of their beginning. What no token of one character covers is
// unknown, at ten below the lowest score. `tokenizers` sums in FP64, libsentencepiece in FP32.
// Source: sentencepiece's unigram_model.cc (EncodeOptimized), tokenizers' models/unigram.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_trie.h"
#include "text/token_model.h"

namespace zp {
namespace {

constexpr double kUnknownPenalty = 10;
// Every place of a text may be compared to this depth; real ones have up to a hundred bytes.
constexpr std::size_t kMaxBytes = 1024;

class Unigram final : public TokenModel {
 public:
  Unigram(const Tokenizer& tokenizer, const std::string& where);
  void encode(std::string_view word, std::vector<TokenId>& ids) const override;

 private:
  static constexpr TokenId kUnknown = -1;
  struct Step {
    double score = 0;
    std::size_t begin = std::string_view::npos;
    TokenId id = kUnknown;
  };
  double sum(double a, double b) const {
    return single_precision_ ? static_cast<double>(static_cast<float>(a + b)) : a + b;
  }
  void extend(Step& end, std::size_t begin, double score, TokenId id) const {
    if (end.begin == std::string_view::npos || score > end.score) end = {score, begin, id};
  }
  std::vector<Step> best_steps(std::string_view word) const;
  void append_unknown(std::string_view text, std::vector<TokenId>& reversed) const;

  bool single_precision_;
  bool fuse_unknown_;
  double unknown_score_;
  std::optional<TokenId> unknown_;
  std::vector<TokenId> fallback_;
  std::vector<double> scores_;  // by id
  ByteTrie trie_;
  std::string where_;
};

Unigram::Unigram(const Tokenizer& tokenizer, const std::string& where)
    : single_precision_(tokenizer.space_marks == SpaceMarks::sentencepiece),
      fuse_unknown_(tokenizer.fuse_unknown),
      where_(where) {
  if (tokenizer.unknown) unknown_ = static_cast<TokenId>(*tokenizer.unknown);
  if (tokenizer.byte_fallback) fallback_ = byte_tokens(tokenizer);
  const std::vector<bool> of_model = tokens_of_model(tokenizer);
  double lowest = std::numeric_limits<double>::max();
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    scores_.push_back(token.score);
    const bool piece = token.type == TokenType::normal || token.type == TokenType::user_defined;
    if (!of_model[id] || (single_precision_ && !piece)) continue;
    lowest = std::min(lowest, token.score);
    if (token.text.size() > kMaxBytes)
      throw Error(where, "token " + std::to_string(id) + " is too long");
    if (!token.text.empty()) trie_.set(token.text, id);
  }
  unknown_score_ = sum(lowest, -kUnknownPenalty);
}

std::vector<Unigram::Step> Unigram::best_steps(std::string_view word) const {
  std::vector<Step> steps(word.size() + 1);  // by where they end
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t begin = i;
    next_code_point(word, i);
    const double before = steps[begin].score;
    bool covered = false;
    trie_.prefixes(word, begin, [&](std::size_t bytes, std::uint64_t id) {
      extend(steps[begin + bytes], begin, sum(scores_[id], before), static_cast<TokenId>(id));
      covered = covered || bytes == i - begin;
    });
    if (!covered) extend(steps[i], begin, sum(unknown_score_, before), kUnknown);
  }
  return steps;
}

void Unigram::append_unknown(std::string_view text, std::vector<TokenId>& reversed) const {
  bool has_bytes = !fallback_.empty();
  for (const char c : text) has_bytes = has_bytes && fallback_[static_cast<unsigned char>(c)] >= 0;
  if (has_bytes) {
    for (std::size_t i = text.size(); i-- > 0;)
      reversed.push_back(fallback_[static_cast<unsigned char>(text[i])]);
  } else if (unknown_) {
    reversed.push_back(*unknown_);
  } else {
    throw Error(where_, "no token for a part of the text and no unknown token", {},
                std::string(text));
  }
}

void Unigram::encode(std::string_view word, std::vector<TokenId>& ids) const {
  const std::vector<Step> steps = best_steps(word);
  const std::size_t first = ids.size();
  for (std::size_t end = word.size(); end > 0;) {
    const Step& step = steps[end];
    std::size_t begin = step.begin;
    if (step.id != kUnknown && step.id != unknown_) {
      ids.push_back(step.id);
    } else {
      while (fuse_unknown_ && begin > 0 &&
             (steps[begin].id == kUnknown || steps[begin].id == unknown_)) {
        begin = steps[begin].begin;
      }
      append_unknown(word.substr(begin, end - begin), ids);
    }
    end = begin;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

}  // namespace

std::unique_ptr<TokenModel> make_unigram(const Tokenizer& tokenizer, const std::string& where) {
  return std::make_unique<Unigram>(tokenizer, where);
}

}  // namespace zp
