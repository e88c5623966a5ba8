// Byte-pair encoding: a word's symbols (bytes or characters) merge two by two, the pair of the
// lowest rank first and of equal ones the leftmost, until no neighbours merge.
//
// Short words take the lowest by looking at all pairs; long ones (a text without spaces) keep them
// in a heap, so that time grows as n log n. A word whose own bytes merge into one token is looked
// up whole. Where no merge crosses the front of a U+2581, a text falls apart into words there.
#include <array>
#include <queue>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/merge_table.h"
#include "text/normalize.h"
#include "text/token_model.h"
#include "text/word_table.h"

namespace zp {
namespace {

constexpr std::size_t kShort = 48;

class Bpe final : public TokenModel {
 public:
  Bpe(const Tokenizer& tokenizer, const std::string& where);
  void encode(std::string_view text, std::vector<TokenId>& ids) const override;

 private:
  using Rank = MergeTable::Rank;

  void read_symbols(const Tokenizer& tokenizer, const std::vector<bool>& of_model);
  void find_whole_words(const Tokenizer& tokenizer, const std::vector<bool>& of_model);
  bool words_end_at_marks(const Tokenizer& tokenizer) const;
  void encode_word(std::string_view word, std::vector<TokenId>& ids) const;
  void split_and_merge(std::string_view word, std::vector<TokenId>& ids) const;
  void append_symbols(std::string_view word, std::vector<TokenId>& symbols) const;
  void append_unknown(std::string_view character, bool& pending,
                      std::vector<TokenId>& symbols) const;
  std::size_t merge_short(TokenId* symbols, std::size_t count) const;
  std::size_t merge_long(TokenId* symbols, std::size_t count) const;
  TokenId symbol_of(char32_t c) const { return c < symbols_.size() ? symbols_[c] : -1; }
  void finish(std::size_t begin, std::vector<TokenId>& ids) const;

  bool over_bytes_;
  bool ignore_merges_;
  bool cut_at_marks_ = false;
  bool fuse_unknown_;
  std::optional<TokenId> unknown_;
  std::vector<TokenId> symbols_;   // by byte or code point; -1: none
  std::vector<TokenId> fallback_;  // by byte, or empty
  TokenId tokens_;                 // symbols from here on are characters without a token
  MergeTable merges_;
  WordTable whole_;
};

Bpe::Bpe(const Tokenizer& tokenizer, const std::string& where)
    : over_bytes_(tokenizer.kind == TokenizerKind::byte_bpe),
      ignore_merges_(tokenizer.ignore_merges),
      fuse_unknown_(tokenizer.fuse_unknown),
      tokens_(static_cast<TokenId>(tokenizer.tokens.size())),
      merges_(tokenizer, tokens_of_model(tokenizer), where) {
  if (tokenizer.unknown && !tokenizer.skip_unknown)
    unknown_ = static_cast<TokenId>(*tokenizer.unknown);
  if (tokenizer.byte_fallback) fallback_ = byte_tokens(tokenizer);
  const std::vector<bool> of_model = tokens_of_model(tokenizer);
  read_symbols(tokenizer, of_model);
  cut_at_marks_ = !over_bytes_ && words_end_at_marks(tokenizer);
  find_whole_words(tokenizer, of_model);
}

void Bpe::read_symbols(const Tokenizer& tokenizer, const std::vector<bool>& of_model) {
  const auto add = [this](std::string_view text, std::size_t id) {
    std::size_t end = 0;
    char32_t symbol = text.empty() ? 0 : next_code_point(text, end);
    if (end != text.size() || text.empty()) return;
    if (over_bytes_) {
      const std::optional<std::string> byte = unspell_bytes(text);
      if (!byte) return;
      symbol = static_cast<unsigned char>((*byte)[0]);
    }
    if (symbol >= symbols_.size()) symbols_.resize(symbol + 1, -1);
    symbols_[symbol] = static_cast<TokenId>(id);
  };
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    if (of_model[id] && (!merges_.by_score() || MergeTable::is_piece(token))) add(token.text, id);
  }
  const std::vector<std::string>& other = merges_.other_characters();
  for (std::size_t i = 0; i < other.size(); ++i) add(other[i], tokenizer.tokens.size() + i);
}

bool Bpe::words_end_at_marks(const Tokenizer& tokenizer) const {
  std::size_t end = 0;
  const TokenId mark = symbol_of(next_code_point(kSpaceMark, end));
  if (mark < 0 || mark >= tokens_) return false;  // unknown ones may fuse with their neighbours
  for (const Token& token : tokenizer.tokens) {
    for (std::size_t i = token.text.find(kSpaceMark, 1); i != std::string::npos;
         i = token.text.find(kSpaceMark, i + 1)) {
      const bool behind_mark =
          i >= kSpaceMark.size() &&
          token.text.compare(i - kSpaceMark.size(), kSpaceMark.size(), kSpaceMark) == 0;
      if (!behind_mark) return false;
    }
  }
  return true;
}

void Bpe::find_whole_words(const Tokenizer& tokenizer, const std::vector<bool>& of_model) {
  std::vector<TokenId> ids;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (!of_model[id]) continue;
    std::string word = tokenizer.tokens[id].text;
    if (over_bytes_) {
      std::optional<std::string> bytes = unspell_bytes(word);
      if (!bytes) continue;
      word = std::move(*bytes);
    }
    ids.clear();
    if (!ignore_merges_) split_and_merge(word, ids);
    if (ignore_merges_ || (ids.size() == 1 && ids[0] == static_cast<TokenId>(id))) {
      whole_.add(word, static_cast<TokenId>(id));
    }
  }
}

void Bpe::encode(std::string_view text, std::vector<TokenId>& ids) const {
  if (!cut_at_marks_) return encode_word(text, ids);
  std::size_t begin = 0;
  for (std::size_t i = text.find(kSpaceMark); i != std::string_view::npos;
       i = text.find(kSpaceMark, i)) {
    if (i > begin) encode_word(text.substr(begin, i - begin), ids);
    begin = i;
    while (text.compare(i, kSpaceMark.size(), kSpaceMark) == 0) i += kSpaceMark.size();
  }
  if (begin < text.size()) encode_word(text.substr(begin), ids);
}

void Bpe::encode_word(std::string_view word, std::vector<TokenId>& ids) const {
  const TokenId whole = whole_.find(word);
  if (whole != WordTable::kNone) {
    ids.push_back(whole);
  } else {
    split_and_merge(word, ids);
  }
}

void Bpe::split_and_merge(std::string_view word, std::vector<TokenId>& ids) const {
  const std::size_t begin = ids.size();
  append_symbols(word, ids);
  const std::size_t count = ids.size() - begin;
  TokenId* symbols = ids.data() + begin;
  ids.resize(begin + (count <= kShort ? merge_short(symbols, count) : merge_long(symbols, count)));
  if (!merges_.other_characters().empty()) finish(begin, ids);
}

void Bpe::append_unknown(std::string_view character, bool& pending,
                         std::vector<TokenId>& symbols) const {
  bool has_bytes = !fallback_.empty();
  for (const char c : character) {
    has_bytes = has_bytes && fallback_[static_cast<unsigned char>(c)] >= 0;
  }
  if (has_bytes) {
    for (const char c : character) symbols.push_back(fallback_[static_cast<unsigned char>(c)]);
    return;
  }
  if (!unknown_) return;  // as `tokenizers`: it leaves no trace
  if (pending && !fuse_unknown_) symbols.push_back(*unknown_);
  pending = true;
}

void Bpe::append_symbols(std::string_view word, std::vector<TokenId>& symbols) const {
  bool pending = false;  // an unknown token is put down only when a known one follows
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t begin = i;
    const TokenId symbol = over_bytes_ ? symbol_of(static_cast<unsigned char>(word[i++]))
                                       : symbol_of(next_code_point(word, i));
    if (symbol < 0) {
      append_unknown(word.substr(begin, i - begin), pending, symbols);
      continue;
    }
    if (pending) symbols.push_back(*unknown_);
    pending = false;
    symbols.push_back(symbol);
  }
  if (pending) symbols.push_back(*unknown_);
}

std::size_t Bpe::merge_short(TokenId* symbols, std::size_t count) const {
  std::array<MergeTable::Merge, kShort> pairs;  // of symbol i and i + 1
  for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = merges_.merge(symbols[i], symbols[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].rank == MergeTable::kNever) break;
    symbols[best] = pairs[best].result;
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      symbols[i] = symbols[i + 1];
      pairs[i - 1] = pairs[i];
    }
    if (best > 0) pairs[best - 1] = merges_.merge(symbols[best - 1], symbols[best]);
    if (best + 1 < count) pairs[best] = merges_.merge(symbols[best], symbols[best + 1]);
  }
  return count;
}

std::size_t Bpe::merge_long(TokenId* symbols, std::size_t count) const {
  struct Node {
    std::uint32_t left, right;  // neighbours' places; `count` behind the last
    MergeTable::Merge pair;     // with the one on the right
  };
  std::vector<Node> nodes(count);
  // Rank above place in one number: the lowest is what merges next.
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue;
  const auto look = [&](std::size_t i) {
    Node& node = nodes[i];
    node.pair =
        node.right < count ? merges_.merge(symbols[i], symbols[node.right]) : MergeTable::Merge{};
    if (node.pair.rank != MergeTable::kNever)
      queue.push(static_cast<std::uint64_t>(node.pair.rank) << 32 | i);
  };
  for (std::size_t i = 0; i < count; ++i) {
    nodes[i].left = static_cast<std::uint32_t>(i - 1);
    nodes[i].right = static_cast<std::uint32_t>(i + 1);
    look(i);
  }
  while (!queue.empty()) {
    const std::uint64_t top = queue.top();
    queue.pop();
    const std::size_t i = top & 0xFFFFFFFFu;
    Node& node = nodes[i];
    if (node.pair.rank != top >> 32) continue;  // merged or changed since
    symbols[i] = node.pair.result;
    const std::size_t gone = node.right;
    nodes[gone].pair = {};
    symbols[gone] = -1;
    node.right = nodes[gone].right;
    if (node.right < count) nodes[node.right].left = static_cast<std::uint32_t>(i);
    look(i);
    if (i > 0) look(node.left);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (symbols[i] >= 0) symbols[kept++] = symbols[i];
  }
  return kept;
}

// Characters that have a symbol but no token, and nothing to merge with here, are unknown after
// all.
void Bpe::finish(std::size_t begin, std::vector<TokenId>& ids) const {
  bool any = false;
  for (std::size_t i = begin; i < ids.size(); ++i) any = any || ids[i] >= tokens_;
  if (!any) return;
  const std::vector<TokenId> symbols(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end());
  ids.resize(begin);
  bool pending = false;
  for (const TokenId symbol : symbols) {
    if (symbol >= tokens_) {
      const auto index = static_cast<std::size_t>(symbol - tokens_);
      append_unknown(merges_.other_characters()[index], pending, ids);
      continue;
    }
    const bool fused = pending && fuse_unknown_ && symbol == unknown_;
    if (pending && !fused) ids.push_back(*unknown_);
    pending = false;
    ids.push_back(symbol);
  }
  if (pending) ids.push_back(*unknown_);
}

}  // namespace

std::unique_ptr<TokenModel> make_bpe(const Tokenizer& tokenizer, const std::string& where) {
  return std::make_unique<Bpe>(tokenizer, where);
}

}  // namespace zp
