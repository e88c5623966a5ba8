// Tokens by id and by text while the files of a tokenizer are read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace zp {

/// Ids above this are taken for damage: the largest vocabularies in use have 2^18 tokens.
inline constexpr std::int64_t kMaxTokens = 1 << 21;

class Vocabulary {
 public:
  /// Throws Error at `where` for an id out of range or taken, or a text that another id has.
  void add(std::int64_t id, Token token, const std::string& where);
  std::optional<std::int64_t> find(std::string_view text) const;
  bool has(std::int64_t id) const;
  Token& at(std::int64_t id) { return tokens_[static_cast<std::size_t>(id)]; }
  const Token& at(std::int64_t id) const { return tokens_[static_cast<std::size_t>(id)]; }
  /// Gives the id's token another text.
  void rename(std::int64_t id, std::string text, const std::string& where);
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }  ///< last id + 1
  std::int64_t count() const { return static_cast<std::int64_t>(ids_.size()); }    ///< of tokens
  /// The tokens in id order, holes filled with "[PADn]". REQUIRES: called once, last.
  std::vector<Token> take();

 private:
  std::vector<Token> tokens_;
  std::vector<bool> taken_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

/// What the files of one folder have said so far. The tokens stay in `vocabulary` until the end.
struct TokenizerDraft {
  Tokenizer tokenizer;
  Vocabulary vocabulary;
  std::map<std::int64_t, AddedToken> added;  ///< by id
  std::set<std::int64_t> outside_model;      ///< ids that only added tokens have
  /// Set by tokenizer.json: ids of added tokens are counted on from the model's number of tokens,
  /// as `tokenizers` does, whatever the files state. Without it stated ids hold.
  std::optional<std::int64_t> count_from;
  std::vector<std::string> renumbered;  ///< "<x>" 305 is 300

  /// Notes the token as added under its id, putting it into the vocabulary when it isn't there yet.
  void add(AddedToken entry, const std::string& where);
  /// The same under the id that the text has, else the next free one. `stated`: what a file says.
  void append(AddedToken entry, std::optional<std::int64_t> stated, const std::string& where);
  bool is_added(std::string_view text) const;
  /// What an added token is from now on.
  void make_special(std::string_view text);
  /// Checks that both parts and what they make are tokens.
  void add_merge(std::string left, std::string right, const std::string& where);
  /// The tokenizer with everything in its place. REQUIRES: called once, last.
  Tokenizer take();
};

}  // namespace zp
