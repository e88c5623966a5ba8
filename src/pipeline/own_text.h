// Text that a model writes itself, for who has no other to calibrate it on (Williams, Chrysostomou,
// Aletras, "Self-calibration for language model quantization and pruning", arXiv 2410.17170).
//
// A document begins with what begins texts for the model, and its tokens are drawn by probability
// up to a special token. Where there is a chat template, every other document is a conversation:
// the model writes the user's words behind what the template has before them, and then the answer.
//
// What loops or says nothing is begun anew, as the other kind of document where there are both.
// Every attempt has random numbers of its own, and documents are taken in the order of their
// indices until there are enough tokens: the text is the same for every number of sequences that
// are written side by side, every number of threads, and every instruction set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp {

struct OwnTextOptions {
  double temperature = 1;     ///< above 0
  std::int64_t length = 512;  ///< tokens of a document at most, those that begin it among them
  std::uint64_t seed = 0;
  /// A grid for a copy of the model that writes instead, for a model that memory doesn't hold;
  /// empty: the model itself.
  std::string weights = {};
};

struct OwnText {
  std::vector<Document> documents;
  std::int64_t tokens = 0;         ///< of the documents, as they are read back
  std::int64_t conversations = 0;  ///< among the documents
  std::int64_t restarted = 0;      ///< attempts at them that looped or said nothing
  std::int64_t left_out = 0;       ///< documents of which no attempt came to anything
  std::string begin;               ///< the token that texts begin with
};

/// Sequences that are written side by side, and what each takes.
struct OwnTextStreams {
  std::int64_t count = 0;
  std::int64_t bytes = 0;  ///< of one: keys, values, a row of logits
};

/// As many as pay and have room in `memory_bytes`, beside a copy. Throws Error where not even one
/// has.
OwnTextStreams own_text_streams(const Model& model, const OwnTextOptions& options,
                                std::int64_t tokens, std::int64_t memory_bytes);

/// Documents of at least `tokens` tokens together. Throws Error where the model has no tokenizer,
/// nothing that begins a text, and where it mostly loops.
OwnText write_own_text(const LoadedModel& loaded, const OwnTextOptions& options,
                       std::int64_t tokens, std::int64_t streams, const Team& team,
                       Progress& progress);

/// The documents as JSONL, which parse_dataset() reads.
std::string to_jsonl(const std::vector<Document>& documents);

}  // namespace zp
