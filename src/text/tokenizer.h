// A tokenizer as data: what its files say, in one form for all of them. Nothing here tokenizes.
//
// How the parts work together on a text:
//   1. added tokens are cut out, longest first (their flags say how they treat spaces around them);
//   2. each piece between them is normalized: `normalizers` in order, then for the SentencePiece
//      kinds spaces become U+2581 and `space_prefix` puts one in front;
//   3. byte_bpe: `split_regexes` cut it into words one after the other (matches and what lies
//      between them both stay words), and each word's bytes are spelled in GPT-2's alphabet;
//   4. BPE merges inside a word by `merges`; with ignore_merges a word that is a token stays one;
//   5. add_bos and add_eos put their ids around the whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zp {

enum class TokenizerKind {
  byte_bpe,           ///< GPT-2's: BPE over bytes
  sentencepiece_bpe,  ///< BPE over characters with U+2581 for the space
  unigram,            ///< SentencePiece's unigram model
  plain_bpe,          ///< BPE over characters, spaces as they are
};
enum class TokenType { normal, unknown, control, user_defined, unused, byte };

struct Token {
  std::string text;  ///< as the files spell it: byte-level alphabet, U+2581 for space, "<0x0A>"
  float score = 0;   ///< SentencePiece's; without one: minus the rank of the merge that makes it
  TokenType type = TokenType::normal;
};

/// A token that is cut out of the text before anything else happens; text as in the text.
struct AddedToken {
  std::int64_t id = 0;
  std::string text;
  bool special = false;
  bool lstrip = false;       ///< takes the spaces before it along
  bool rstrip = false;       ///< and those behind it
  bool normalized = false;   ///< looked for after normalization
  bool single_word = false;  ///< only where no word characters touch it
};

enum class Normalizer { nfc, nfd, nfkc, nfkd, lowercase };

/// Where a space goes in front: nowhere, before the text, before every piece between added tokens.
/// byte_bpe: only where there is none.
enum class SpacePrefix { never, first, always };

struct Tokenizer {
  TokenizerKind kind = TokenizerKind::byte_bpe;
  std::vector<Token> tokens;  ///< in id order, no text twice; ids without a token: "[PADn]", unused
  std::vector<std::pair<std::string, std::string>> merges;  ///< in rank order
  std::vector<AddedToken> added;                            ///< by id
  std::vector<Normalizer> normalizers;
  /// As written, except that splitters without a regex (digits, GPT-2's own) have theirs here.
  std::vector<std::string> split_regexes;
  SpacePrefix space_prefix = SpacePrefix::never;
  bool split_at_spaces = false;           ///< SentencePiece kinds: a word begins at every U+2581
  bool remove_extra_whitespaces = false;  ///< SentencePiece: runs of spaces become one
  bool byte_fallback = false;             ///< unknown characters become "<0xNN>" tokens
  bool ignore_merges = false;
  bool add_bos = false;
  bool add_eos = false;
  bool clean_up_spaces = false;  ///< decoding drops spaces before punctuation
  std::optional<std::int64_t> bos, eos, unknown, pad;
  std::string chat_template;                                         ///< the default, or empty
  std::vector<std::pair<std::string, std::string>> named_templates;  ///< others, by name
  std::vector<std::string> notes;  ///< what people should know about how the files were read
};

/// Reads what the folder has: tokenizer.json, tokenizer.model, vocab.json + merges.txt or
/// *.tiktoken, in this order, with tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, chat_template.jinja or .json, and config.json for what those leave open.
/// nullopt when there is none. Throws Error, naming the field, for what it doesn't know.
std::optional<Tokenizer> read_tokenizer(const std::filesystem::path& folder);

/// Fills up with unused tokens "[PADn]" to `rows`, the rows of the embedding. Throws Error when
/// there are more tokens than rows.
void pad_to(Tokenizer& tokenizer, std::int64_t rows, const std::string& where);

}  // namespace zp
