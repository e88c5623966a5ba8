// Which experts a token goes through.
#pragma once

#include <span>
#include <vector>

#include "base/view.h"
#include "model/decoder.h"

namespace zp {

/// scores: the router's, of one token, one for each expert; they become the experts' weights, 0 for
/// those that are not chosen. A chosen one's is never 0. correction: one for each expert, or empty.
void route(std::span<float> scores, Floats correction, const Experts& experts);

/// sparsemixer's choices, one behind the other: the expert, then those that are left whose scores are near
/// to its own. Its weight is its share of a softmax over these.
std::vector<std::vector<std::size_t>> mixer_choices(Floats scores, const Experts& experts);

}  // namespace zp
