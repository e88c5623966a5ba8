// Which experts a token goes through.
#pragma once

#include <span>

#include "model/decoder.h"

namespace zp {

/// scores: the router's, of one token, one for each expert; they become the experts' weights, 0 for
/// those that are not chosen. A chosen one's is never 0.
void route(std::span<float> scores, const Experts& experts);

}  // namespace zp
