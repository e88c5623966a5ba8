// A row of activations times rows of floats as they are stored.
#pragma once

#include "base/view.h"
#include "number/float_format.h"

namespace zp {

/// out[r] = dot(x, row r) of kernel/matmul.h, to the bit. in: out.size() rows of x.size() values of
/// `format`, of any alignment, side by side. FP32, FP16 and BF16 are multiplied as they lie.
void stored_products(const FloatFormat& format, const std::byte* in, Floats x,
                     std::span<float> out);

}  // namespace zp
