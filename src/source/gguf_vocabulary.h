// The tokenizer in a GGUF file's tokenizer.* keys, as llama.cpp's loader takes them
// (src/llama-vocab.cpp).
//
// The format holds less than a tokenizer's own files. What is lost: normalizers; the flags of added
// tokens (but for those llama.cpp derives from a Phi-3's name); "first" and "always" of the space
// prefix (read as always); split_at_spaces and clean_up_spaces; whether a bos or eos that stands
// for a missing one was there.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/json.h"
#include "format/gguf.h"
#include "text/tokenizer.h"

namespace zp {

/// nullopt when the file says that it has none. Throws Error naming the key for what isn't known.
std::optional<Tokenizer> read_gguf_tokenizer(std::span<const gguf::Pair> pairs,
                                             const std::string& where);

/// What generation_config.json would say: eot and eom as {"eos_token_id": [...]}, and how tokens
/// are drawn (sampling_fields()); null when there is neither. As llama.cpp has it, eot is found by
/// its text where the file names none.
Json read_gguf_generation(std::span<const gguf::Pair> pairs, const std::string& where);

}  // namespace zp
