// Where a checkpoint says what its model is, beside its tensors: a source whose files say it
// themselves has a Description of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/gguf.h"
#include "model/architecture.h"
#include "text/tokenizer.h"

namespace zp {

class Checkpoint;

/// Each throws Error for what makes no sense.
struct Description {
  /// When all files are read: takes what else there is into the checkpoint.
  void (*complete)(Checkpoint& checkpoint);
  const Architecture& (*architecture)(const Checkpoint& checkpoint);
  Decoder (*decoder)(const Architecture& architecture, const Checkpoint& checkpoint);
  /// nullopt: there is none.
  std::optional<Tokenizer> (*tokenizer)(const Checkpoint& checkpoint);
  /// As provenance.h has it.
  std::vector<gguf::Pair> (*provenance)(const Checkpoint& checkpoint);
  /// What the file calls itself; nullopt where it has no place for a name, or none that is text.
  std::optional<std::string> (*title)(const Checkpoint& checkpoint);
  /// The name that GGUF has for the splitting into words, or empty.
  std::string (*pre_tokenizer)(const Checkpoint& checkpoint);
};

/// config.json, the tokenizer's files and README.md in the checkpoint's folder, as Hugging Face has
/// them.
extern const Description folder_description;

}  // namespace zp
