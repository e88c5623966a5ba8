// A tokenizer as data: what its files say, in one form for all of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace zp {

enum class TokenizerKind { byte_bpe, sentencepiece_bpe, unigram };
enum class TokenType { normal, unknown, control, user_defined, unused, byte };

struct Token {
  std::string text;  ///< as the files spell it: byte-level alphabet, U+2581 for space, "<0x0A>"
  float score = 0;   ///< SentencePiece's score; BPE without scores: minus the rank of its merge
  TokenType type = TokenType::normal;
};

struct AddedToken {
  std::int64_t id = 0;
  std::string text;
  bool special = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool single_word = false;
};

struct Tokenizer {
  TokenizerKind kind = TokenizerKind::byte_bpe;
  std::vector<Token> tokens;  ///< in id order; ids without a token are "[PADn]", unused
  std::vector<std::pair<std::string, std::string>> merges;  ///< in rank order
  std::vector<AddedToken> added;
  /// byte_bpe: what splits text before merging, in order (regexes as written; digit splitting as its
  /// regex). A ByteLevel with its own regex is spelled out as GPT-2's.
  std::vector<std::string> split_regexes;
  std::string normalizer;  ///< "", "nfc", ...
  bool ignore_merges = false;
  bool byte_fallback = false;
  bool add_space_prefix = false;
  bool remove_extra_whitespaces = false;
  bool add_bos = false;
  bool add_eos = false;
  std::optional<std::int64_t> bos, eos, unknown, pad;
  std::string chat_template;                                          ///< the default one, or empty
  std::vector<std::pair<std::string, std::string>> named_templates;   ///< others, by name
};

/// Reads what the folder has: tokenizer.json, tokenizer.model, vocab.json + merges.txt or *.tiktoken,
/// with tokenizer_config.json, special_tokens_map.json, added_tokens.json, chat_template.jinja.
/// nullopt when there is no tokenizer. Throws Error, naming the field, for what it doesn't know.
std::optional<Tokenizer> read_tokenizer(const std::filesystem::path& folder);

}  // namespace zp
