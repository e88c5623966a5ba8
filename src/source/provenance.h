// Where a model comes from and under which licence, in GGUF's words (gguf's constants.py,
// metadata.py): general.license, .license.name, .license.link, .author, .tags, .languages,
// .base_model.N.*, ... What isn't known is not there.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "format/gguf.h"

namespace zp {

/// What a GGUF file's own keys say.
std::vector<gguf::Pair> gguf_provenance(std::span<const gguf::Pair> metadata);
/// What the head of README.md in the folder says, as llama.cpp's converter takes it.
std::vector<gguf::Pair> card_provenance(const std::filesystem::path& folder);

}  // namespace zp
