// A tokenizer as data: what its files say, in one form for all of them. encode.h and decode.h make
// it work.
//
// How the parts work together on a text:
//   1. added tokens are cut out, longest first (their flags say how they treat spaces around them);
//   2. each piece between them is normalized: `normalizers` in order, then `space_marks` and
//      `space_prefix` say how spaces become U+2581 and where one is put in front; then the added
//      tokens that are `normalized` are cut out;
//   3. `split_regexes` cut it into words one after the other (matches and what lies between them
//      both stay words); with byte_bpe each word's bytes are spelled in GPT-2's alphabet;
//   4. BPE merges inside a word by `merges`, or without them by the tokens' scores; with
//      ignore_merges a word that is a token stays one. Unigram takes the tokens whose scores have
//      the largest sum;
//   5. add_bos and add_eos put their ids around the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zp {

using TokenId = std::int32_t;

enum class TokenizerKind {
  byte_bpe,           ///< GPT-2's: BPE over bytes
  sentencepiece_bpe,  ///< BPE over characters with U+2581 for the space
  unigram,            ///< SentencePiece's unigram model
  plain_bpe,          ///< BPE over characters, spaces as they are
};
enum class TokenType { normal, unknown, control, user_defined, unused, byte };

struct Token {
  std::string text;  ///< as the files spell it: byte-level alphabet, U+2581 for space, "<0x0A>"
  double score = 0;  ///< SentencePiece's; without one: minus the rank of the merge that makes it
  TokenType type = TokenType::normal;
};

/// A token that is cut out of the text before anything else happens; text as in the text.
struct AddedToken {
  std::int64_t id = 0;
  std::string text;
  bool special = false;
  bool lstrip = false;         ///< takes the spaces before it along
  bool rstrip = false;         ///< and those behind it
  bool normalized = false;     ///< looked for after normalization
  bool single_word = false;    ///< only where no word characters touch it
  bool outside_model = false;  ///< the model's own vocabulary doesn't have it
};

enum class Normalizer {
  nfc,
  nfd,
  nfkc,
  nfkd,
  lowercase,
  character_map,  ///< SentencePiece's, Tokenizer::character_map
  strip_left,     ///< no white space at the beginning
  strip_right,    ///< nor at the end
  join_spaces,    ///< two spaces or more become one U+2581
};

/// How spaces become U+2581 (not with byte_bpe and plain_bpe) and one is put in front.
enum class SpaceMarks {
  none,           ///< they stay spaces
  normalizer,     ///< before normalized added tokens are looked for, in their texts as well
  metaspace,      ///< afterwards; none is put in front where one is
  sentencepiece,  ///< as libsentencepiece: with remove_extra_whitespaces, and inside the texts of
                  ///< normalized added tokens nothing changes
};

/// Where a space goes in front: nowhere, before the text, before every piece between added tokens.
/// byte_bpe: only where there is none.
enum class SpacePrefix { never, first, always };

struct Tokenizer {
  TokenizerKind kind = TokenizerKind::byte_bpe;
  std::vector<Token> tokens;  ///< in id order, no text twice; ids without a token: "[PADn]", unused
  std::vector<std::pair<std::string, std::string>> merges;  ///< in rank order
  std::vector<AddedToken> added;                            ///< by id
  /// Texts of the special tokens that have a name: "bos_token", "image_token" and so on, as chat
  /// templates see them. In no order that matters, no name twice.
  std::vector<std::pair<std::string, std::string>> named_tokens;
  std::vector<Normalizer> normalizers;
  std::string character_map;  ///< SentencePiece's precompiled one (text/character_map.h), or empty
  /// As written, except that splitters without a regex (digits, GPT-2's own) have theirs here.
  std::vector<std::string> split_regexes;
  SpaceMarks space_marks = SpaceMarks::normalizer;
  SpacePrefix space_prefix = SpacePrefix::never;
  bool split_at_spaces = false;           ///< SentencePiece kinds: a word begins at every U+2581
  bool remove_extra_whitespaces = false;  ///< SentencePiece: runs of spaces become one
  bool byte_fallback = false;             ///< unknown characters become "<0xNN>" tokens
  bool fuse_unknown = false;              ///< neighbours that are unknown become one token
  bool skip_unknown = false;              ///< they leave no trace, though there is an unknown token
  bool ignore_merges = false;
  bool add_bos = false;
  bool add_eos = false;
  bool clean_up_spaces = false;    ///< decoding drops spaces before punctuation
  bool drops_first_space = false;  ///< decoding drops a space at the very beginning
  std::optional<std::int64_t> bos, eos, unknown, pad;
  std::string chat_template;                                         ///< the default, or empty
  std::vector<std::pair<std::string, std::string>> named_templates;  ///< others, by name
  std::vector<std::string> notes;  ///< what people should know about how the files were read
};

/// Fills up with unused tokens "[PADn]" to `rows`, the rows of the embedding. Throws Error when
/// there are more tokens than rows.
void pad_to(Tokenizer& tokenizer, std::int64_t rows, const std::string& where);

}  // namespace zp
