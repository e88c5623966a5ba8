// Which experts a token goes through.
#pragma once

#include <span>

#include "base/view.h"
#include "model/decoder.h"

namespace zp {

/// scores: the router's, of one token, one for each expert; they become the experts' weights, 0 for
/// those that are not chosen. A chosen one's is never 0. correction: one for each expert, or empty.
void route(std::span<float> scores, Floats correction, const Experts& experts);

}  // namespace zp
