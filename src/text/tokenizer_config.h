// The small files beside a vocabulary: tokenizer_config.json, special_tokens_map.json,
// added_tokens.json, chat_template.jinja or chat_template.json, and config.json for token ids and
// the family of a tokenizer that none of those tell.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "text/special_tokens.h"
#include "text/split_family.h"
#include "text/vocabulary.h"

namespace zp {

/// An empty object stands for a file that isn't there.
struct TokenizerConfig {
  std::filesystem::path folder;
  Json config;          ///< tokenizer_config.json
  Json special_tokens;  ///< special_tokens_map.json
  Json added_tokens;    ///< added_tokens.json
  Json model;           ///< config.json

  explicit TokenizerConfig(const std::filesystem::path& folder);

  /// The family that config.json's auto_map, the tokenizer's class or the model's type tells;
  /// GPT-2 when there is none of these files. Throws Error when they tell nothing we know.
  const SplitFamily& family() const;
  /// Added tokens, special ids, flags and chat templates. `family` (may be null) gives defaults.
  void apply(const SplitFamily* family, TokenizerDraft& draft) const;

 private:
  void add_tokens(const SpecialTokens& special, TokenizerDraft& draft) const;
  void add_special_tokens(const SpecialTokens& special, TokenizerDraft& draft) const;
  void find_ids(const SpecialTokens& special, const SplitFamily* family,
                TokenizerDraft& draft) const;
  void set_flags(TokenizerDraft& draft) const;
  void read_templates(Tokenizer& tokenizer) const;
  std::string where(const char* file) const { return (folder / file).string(); }
};

}  // namespace zp
