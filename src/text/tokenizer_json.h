// tokenizer.json of Hugging Face's `tokenizers`: BPE (byte-level, SentencePiece's or plain) and
// Unigram. Of the decoder only the space that it drops is read: the rest follows from the kind.
// What the description can't say (WordPiece, unknown normalizers, splitters or post-processors) is
// refused by its name.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "text/vocabulary.h"

namespace zp {

/// Fills the draft. SentencePiece-style BPE gets scores from its merges: minus the rank of the
/// first merge that makes a piece, for then SentencePiece's rule (merge the neighbours whose joint
/// piece has the best score) picks what BPE picks (merge the neighbours of the lowest rank).
void read_tokenizer_json(const std::filesystem::path& path, TokenizerDraft& draft);
void parse_tokenizer_json(std::string_view text, const std::string& where, TokenizerDraft& draft);

}  // namespace zp
