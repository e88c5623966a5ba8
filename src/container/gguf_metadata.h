// What a GGUF file says of the model: the keys general.* and <architecture>.* that llama.cpp's
// loader reads. Source: llama.cpp src/llama-arch.cpp, src/llama-model.cpp, src/models.
//
// All follows from the Decoder and the few facts in the architecture's own table. What llama.cpp
// would compute otherwise is refused, or said in a note where the difference is small or far away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "container/container.h"
#include "format/gguf.h"

namespace zp {

/// general.name, with what format/gguf_phi3_name.h tells of in it exactly when the tokenizer wants
/// it; llama.cpp doesn't load such a file whose vocabulary hasn't Phi-3's <unk>, <s>, </s> and
/// <|endoftext|>.
std::string gguf_name(const std::string& name, const Tokenizer* tokenizer);

/// file_type: llama_ftype of the type that most weights have. Throws Error for what has no keys.
std::vector<gguf::Pair> gguf_metadata(const ContainerInput& input, std::int32_t file_type);

/// What tells where a file comes from: general.quantized_by, where weights became `quantized`; the
/// source's provenance; and of statistics what llama-quantize writes (tools/quantize/quantize.cpp):
/// quantize.imatrix.file, .dataset, .entries_count, .chunks_count.
std::vector<gguf::Pair> gguf_provenance(const ContainerInput& input, bool quantized);

/// Where llama.cpp will compute something else than the model says; for people. Throws Error for
/// what its graph of the architecture can't compute.
std::vector<std::string> gguf_notes(const ContainerInput& input);

}  // namespace zp
