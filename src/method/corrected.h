// What a layer's weights should become when its inputs are no longer what they were.
//
// Layers before it are quantized, so instead of x comes x~. The weights that give the nearest
// outputs, tr over tokens of |W x - V x~|^2 + damping |W - V|^2, are V = W + W D (H + damping)^-1
// with D = sum (x - x~) x~^T and H = sum x~ x~^T (the asymmetric calibration of GPTAQ, Li et al.
// 2025, in closed form). The damping pulls towards W, not towards zero.
#pragma once

#include <vector>

#include "method/method.h"

namespace zp {

/// inputs: with moments and drift. rows x cols.
std::vector<float> corrected(Matrix w, const InputStatistics& inputs);

}  // namespace zp
