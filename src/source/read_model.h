// What a checkpoint's files say of the model, whatever kind they are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/architecture.h"
#include "source/checkpoint.h"
#include "text/tokenizer.h"

namespace zp {

/// Throws Error when the files don't say the architecture, it is unknown, or tensors don't fit it.
const Architecture& architecture_of(const Checkpoint& checkpoint);
/// The weights read from the checkpoint.
Model read_model(const Checkpoint& checkpoint);
/// nullopt when the checkpoint has none.
std::optional<Tokenizer> tokenizer_of(const Checkpoint& checkpoint);

/// Where the model comes from and under which licence, see provenance.h.
std::vector<gguf::Pair> provenance_of(const Checkpoint& checkpoint);
/// What the file calls itself; nullopt where it has no place for a name, or none that is text.
std::optional<std::string> title_of(const Checkpoint& checkpoint);
/// The name that GGUF has for the splitting into words, or empty.
std::string pre_tokenizer_of(const Checkpoint& checkpoint);

}  // namespace zp
