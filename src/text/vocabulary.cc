#include "text/vocabulary.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace zp {
namespace {

std::string in_quotes(std::string_view text) { return "\"" + printable(text, 80) + "\""; }

bool is_reserved(TokenType type) {
  return type == TokenType::unused || type == TokenType::user_defined || type == TokenType::control;
}

// Appends unused tokens whose names no token has.
class Padding {
 public:
  explicit Padding(const std::vector<Token>& tokens) {
    for (const Token& t : tokens) {
      if (t.text.compare(0, 4, "[PAD") == 0) names_.insert(t.text);
    }
  }
  Token token(std::size_t id) {
    std::string name = "[PAD" + std::to_string(id) + "]";
    while (!names_.insert(name).second) name += "_";
    return {name, 0, TokenType::unused};
  }

 private:
  std::unordered_set<std::string> names_;
};

}  // namespace

void Vocabulary::add(std::int64_t id, Token token, const std::string& where) {
  if (id < 0 || id >= kMaxTokens) {
    throw Error(where, "id of token " + in_quotes(token.text) + " out of range",
                "0 to " + std::to_string(kMaxTokens - 1), std::to_string(id));
  }
  if (has(id)) {
    throw Error(where, "id " + std::to_string(id) + " stands for two tokens", {},
                in_quotes(at(id).text) + " and " + in_quotes(token.text));
  }
  const auto [place, is_new] = ids_.emplace(token.text, id);
  if (!is_new) {
    throw Error(where, "token " + in_quotes(token.text) + " stands twice", {},
                "ids " + std::to_string(place->second) + " and " + std::to_string(id));
  }
  const auto index = static_cast<std::size_t>(id);
  if (index >= tokens_.size()) {
    tokens_.resize(index + 1);
    taken_.resize(index + 1);
  }
  tokens_[index] = std::move(token);
  taken_[index] = true;
}

std::optional<std::int64_t> Vocabulary::find(std::string_view text) const {
  const auto place = ids_.find(std::string(text));
  if (place == ids_.end()) return std::nullopt;
  return place->second;
}

bool Vocabulary::has(std::int64_t id) const {
  return id >= 0 && id < size() && taken_[static_cast<std::size_t>(id)];
}

void Vocabulary::rename(std::int64_t id, std::string text, const std::string& where) {
  const auto place = ids_.find(text);
  if (place != ids_.end() && place->second != id) {
    throw Error(where, "token " + in_quotes(text) + " stands twice", {},
                "ids " + std::to_string(place->second) + " and " + std::to_string(id));
  }
  ids_.erase(at(id).text);
  ids_.emplace(text, id);
  at(id).text = std::move(text);
}

std::vector<Token> Vocabulary::take() {
  Padding padding(tokens_);
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    if (!taken_[id]) tokens_[id] = padding.token(id);
  }
  ids_.clear();
  taken_.clear();
  return std::exchange(tokens_, {});
}

void TokenizerDraft::add(AddedToken entry, const std::string& where) {
  const std::optional<std::int64_t> known = vocabulary.find(entry.text);
  if (known && *known != entry.id) {
    throw Error(where, "added token " + in_quotes(entry.text) + " has another id in the vocabulary",
                std::to_string(*known), std::to_string(entry.id));
  }
  const TokenType type = entry.special ? TokenType::control : TokenType::user_defined;
  if (!known && vocabulary.has(entry.id) && is_reserved(vocabulary.at(entry.id).type)) {
    // Fine-tunes give reserved pieces of a SentencePiece model names of their own.
    vocabulary.rename(entry.id, entry.text, where);
  } else if (!known) {
    vocabulary.add(entry.id, {entry.text, 0, type}, where);
    outside_model.insert(entry.id);
  }
  Token& token = vocabulary.at(entry.id);
  if (token.type != TokenType::unknown && token.type != TokenType::byte) token.type = type;
  entry.outside_model = outside_model.count(entry.id) != 0;
  added[entry.id] = std::move(entry);
}

void TokenizerDraft::append(AddedToken entry, std::optional<std::int64_t> stated,
                            const std::string& where) {
  const std::optional<std::int64_t> known = vocabulary.find(entry.text);
  if (!count_from && stated) {
    entry.id = *stated;
  } else if (known) {
    entry.id = *known;
  } else if (!count_from) {
    entry.id = vocabulary.size();
  } else {
    const std::int64_t behind = added.empty() ? 0 : added.rbegin()->first + 1;
    entry.id = std::max(*count_from, behind);
  }
  if (stated && *stated != entry.id) {
    renumbered.push_back(in_quotes(entry.text) + " " + std::to_string(*stated) + " is " +
                         std::to_string(entry.id));
  }
  add(std::move(entry), where);
}

bool TokenizerDraft::is_added(std::string_view text) const {
  const std::optional<std::int64_t> id = vocabulary.find(text);
  return id && added.count(*id) != 0;
}

void TokenizerDraft::make_special(std::string_view text) {
  AddedToken& token = added.at(*vocabulary.find(text));
  token.special = true;
  Token& entry = vocabulary.at(token.id);
  if (entry.type == TokenType::user_defined) entry.type = TokenType::control;
}

void TokenizerDraft::add_merge(std::string left, std::string right, const std::string& where) {
  for (const std::string& part : {left, right, left + right}) {
    if (!vocabulary.find(part)) {
      throw Error(where,
                  "merge " + std::to_string(tokenizer.merges.size()) + " names an unknown token",
                  {}, in_quotes(part) + " in " + in_quotes(left + " " + right));
    }
  }
  tokenizer.merges.emplace_back(std::move(left), std::move(right));
}

Tokenizer TokenizerDraft::take() {
  tokenizer.tokens = vocabulary.take();
  for (auto& [id, token] : added) tokenizer.added.push_back(std::move(token));
  added.clear();
  if (!renumbered.empty()) {
    const std::size_t more = renumbered.size() - 1;
    tokenizer.notes.push_back(
        "added tokens are numbered on from the vocabulary, as transformers does: " + renumbered[0] +
        (more == 0 ? "" : ", and " + std::to_string(more) + " more"));
  }
  return std::move(tokenizer);
}

void pad_to(Tokenizer& tokenizer, std::int64_t rows, const std::string& where) {
  std::vector<Token>& tokens = tokenizer.tokens;
  if (static_cast<std::int64_t>(tokens.size()) > rows) {
    throw Error(where, "more tokens than rows of the embedding", "at most " + std::to_string(rows),
                std::to_string(tokens.size()));
  }
  Padding padding(tokens);
  tokens.reserve(static_cast<std::size_t>(rows));
  while (static_cast<std::int64_t>(tokens.size()) < rows)
    tokens.push_back(padding.token(tokens.size()));
}

}  // namespace zp
