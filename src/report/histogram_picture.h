// A weight histogram as a picture: bars of the weights, and below them the values of one group.
#pragma once

#include <string>

#include "report/weight_histogram.h"

namespace zp {

/// HTML: a <figure> with a caption.
std::string histogram_picture(const WeightHistogram& histogram);

}  // namespace zp
