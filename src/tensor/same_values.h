// Whether two tensors hold the same values.
#pragma once

#include "tensor/rows.h"

namespace zp {

/// For tensors of one shape, both with rows. Bytes are compared where both lie in mapped files in
/// one type, else the values that their readers give as FP32, bit by bit; reading ends at the first
/// difference. So an embedding in BF16 and a head in FP32 that holds the same numbers are the same.
bool same_values(const Tensor& a, const Tensor& b);

}  // namespace zp
