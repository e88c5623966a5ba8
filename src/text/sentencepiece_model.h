// tokenizer.model of SentencePiece: a protocol buffer ModelProto (sentencepiece_model.proto).
//
//   ModelProto       1 pieces[] {1 text, 2 score (float), 3 type}   2 trainer_spec
//                    3 normalizer_spec
//   trainer_spec     3 model_type (1 unigram, 2 bpe)   24 treat_whitespace_as_suffix
//                    35 byte_fallback   40-43 ids of unk, bos, eos, pad
//   normalizer_spec  1 name   2 precompiled_charsmap   3 add_dummy_prefix
//                    4 remove_extra_whitespaces   5 escape_whitespaces
//
// Read here and not by libsentencepiece because its interface shows neither user-defined pieces nor
// the two specs, and because it aborts on some damaged files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace zp {

struct SentencePieceModel {
  std::vector<Token> pieces;
  std::int64_t model_type = 1;
  bool byte_fallback = false;
  std::int64_t unknown = 0, bos = 1, eos = 2, pad = -1;  ///< -1: none
  std::string normalizer = "nmt_nfkc";
  std::string character_map;  ///< empty: characters stay as they are
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
};

/// Whether the bytes begin like such a file (and not like tiktoken's text of the same name).
bool is_sentencepiece_model(std::string_view file);
/// Throws Error for damage, for pieces that aren't UTF-8, and for other kinds than unigram and BPE.
SentencePieceModel parse_sentencepiece_model(std::string_view file, const std::string& where);

/// The tokenizer that the model alone describes.
void use_sentencepiece_model(const SentencePieceModel& model, const std::string& where,
                             TokenizerDraft& draft);
/// Takes scores (and the types of pieces that tokenizer.json doesn't list as added) where the same
/// ids have the same texts; else leaves the draft as it is, with a note.
void take_scores(const SentencePieceModel& model, TokenizerDraft& draft);

}  // namespace zp
