// Which architecture a checkpoint is of, and what stands against it being loaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/beside.h"
#include "source/checkpoint.h"

namespace zp {

struct ModelFacts {
  const Architecture* architecture = nullptr;  ///< nullptr: unknown
  std::string name;                            ///< ours, else what the files say, else empty
  std::int64_t vocabulary = 0;                 ///< rows of the embedding; 0: unknown
  std::vector<std::string> notes;              ///< Model::notes
  std::vector<BesideCount> beside;             ///< what stands beside the decoder of text
  std::vector<std::string> problems;
};

/// Never throws for what is in the files: everything wrong becomes a problem.
ModelFacts model_facts(const Checkpoint& checkpoint);

/// role_name of the tensor that has this name in Hugging Face, GGUF or MLX files, or "".
std::string role_of(const Architecture& architecture, std::string_view tensor);

}  // namespace zp
