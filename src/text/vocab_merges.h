// vocab.json (token: id) and merges.txt ("a b" a line, by rank): byte-level BPE as GPT-2 brought
// it. Neither says how text is split into words; the caller finds that out.
#pragma once

#include <filesystem>

#include "text/split_family.h"
#include "text/vocabulary.h"

namespace zp {

/// Throws Error for damage, and when the merges join what the family's regex would have split.
void read_vocab_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                       const SplitFamily& family, TokenizerDraft& draft);

}  // namespace zp
