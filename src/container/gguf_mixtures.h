// llama.cpp's mixtures: the names of llama-quantize, giving the sizes people know.
#pragma once

#include <span>
#include <string_view>

#include "container/mixture.h"

namespace zp {

std::span<const Mixture> gguf_mixtures();

/// The grid that takes the place of `grid`, a block type of GGUF, where its blocks don't divide a
/// row: of blocks of 32 and no fewer bits, or fp16 where those don't either; empty for other grids.
std::string_view gguf_fallback(std::string_view grid);

}  // namespace zp
