#include "text/encode.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace zp {
namespace {

constexpr std::size_t kMaxRegexes = 64;  // real tokenizers have up to five

std::unique_ptr<TokenModel> make_model(const Tokenizer& tokenizer, const std::string& where) {
  const bool unigram = tokenizer.kind == TokenizerKind::unigram;
  return unigram ? make_unigram(tokenizer, where) : make_bpe(tokenizer, where);
}

// Goes through the stretches between the matches, and the matches.
template <class Between, class Match>
void cut(std::string_view text, const std::vector<AddedTokenFinder::Match>& matches,
         const Between& between, const Match& match) {
  std::size_t end = 0;
  for (const AddedTokenFinder::Match& m : matches) {
    if (end < m.begin) between(text.substr(end, m.begin - end), end);
    match(m.id);
    end = m.end;
  }
  if (end < text.size()) between(text.substr(end), end);
}

}  // namespace

struct Encoder::Call {
  std::vector<SplitRegex::Matches> regexes;
  std::vector<TokenId> ids;
};

Encoder::Encoder(const Tokenizer& tokenizer, std::string where)
    : where_(std::move(where)),
      over_bytes_(tokenizer.kind == TokenizerKind::byte_bpe),
      marks_(tokenizer.space_marks),
      prefix_(tokenizer.space_prefix),
      split_at_spaces_(tokenizer.split_at_spaces),
      normalizer_(tokenizer, where_) {
  if (tokenizer.add_bos && tokenizer.bos) before_ = {static_cast<TokenId>(*tokenizer.bos)};
  if (tokenizer.add_eos && tokenizer.eos) after_ = {static_cast<TokenId>(*tokenizer.eos)};
  for (const AddedToken& token : tokenizer.added) {
    if (token.normalized) {
      normalized_added_.add(token, normalizer_.added_token(token.text), where_);
    } else {
      added_.add(token, token.text, where_);
    }
  }
  if (tokenizer.split_regexes.size() > kMaxRegexes) {
    throw Error(where_, "too many regular expressions", "at most " + std::to_string(kMaxRegexes),
                std::to_string(tokenizer.split_regexes.size()));
  }
  for (const std::string& regex : tokenizer.split_regexes) regexes_.emplace_back(regex, where_);
  model_ = make_model(tokenizer, where_);
}

std::vector<TokenId> Encoder::encode(std::string_view text, bool add_special) const {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = repair_utf8(text);
  // Places are kept in 32 bits, and U+2581 is three bytes for one.
  if (text.size() > std::numeric_limits<std::int32_t>::max() / 3) {
    throw Error(where_, "text too long for one piece", "700 MB", std::to_string(text.size()));
  }
  Call call;
  for (const SplitRegex& regex : regexes_) call.regexes.emplace_back(regex);
  if (add_special) call.ids = before_;
  cut(
      text, added_.find(text),
      [&](std::string_view piece, std::size_t at) { encode_piece(piece, at == 0, call); },
      [&](TokenId id) { call.ids.push_back(id); });
  if (add_special) call.ids.insert(call.ids.end(), after_.begin(), after_.end());
  return std::move(call.ids);
}

void Encoder::encode_piece(std::string_view piece, bool at_start, Call& call) const {
  const std::string text = normalizer_(piece, at_start);
  cut(
      text, normalized_added_.find(text),
      [&](std::string_view part, std::size_t at) {
        encode_normalized(part, at_start && at == 0, call);
      },
      [&](TokenId id) { call.ids.push_back(id); });
}

void Encoder::encode_normalized(std::string_view text, bool at_start, Call& call) const {
  if (over_bytes_ && prefix_ != SpacePrefix::never && text.front() != ' ') {
    split(" " + std::string(text), 0, at_start, call);
  } else {
    split(text, 0, at_start, call);
  }
}

void Encoder::split(std::string_view text, std::size_t level, bool at_start, Call& call) const {
  if (level == regexes_.size()) return encode_word(text, at_start, call);
  SplitRegex::Matches& matches = call.regexes[level];
  matches.start(text);
  std::size_t end = 0;
  const auto use = [&](std::size_t to) {
    if (end < to) split(text.substr(end, to - end), level + 1, at_start && end == 0, call);
    end = std::max(end, to);
  };
  while (const auto match = matches.next()) {
    use(match->begin);
    use(match->end);
  }
  use(text.size());
}

void Encoder::encode_word(std::string_view word, bool at_start, Call& call) const {
  if (!over_bytes_ && marks_ == SpaceMarks::metaspace) {
    encode_metaspace(word, at_start, call);
  } else {
    model_->encode(word, call.ids);
  }
}

void Encoder::encode_metaspace(std::string_view word, bool at_start, Call& call) const {
  std::string marked = mark_spaces(word);
  const bool prefix = prefix_ == SpacePrefix::always || (prefix_ == SpacePrefix::first && at_start);
  if (prefix && marked.compare(0, kSpaceMark.size(), kSpaceMark) != 0) marked.insert(0, kSpaceMark);
  if (!split_at_spaces_) return model_->encode(marked, call.ids);
  const std::string_view text = marked;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t next = std::min(text.find(kSpaceMark, begin + 1), text.size());
    model_->encode(text.substr(begin, next - begin), call.ids);
    begin = next;
  }
}

}  // namespace zp
