// The sums behind a least-squares fit x ~ s q + m, for one guess of the codes.
#pragma once

#include "base/view.h"

namespace zp {

/// Weighted sums over a group: h, h q, h q^2, h x q with q = clamp(round(x * inverse + phase)).
struct AffineSums {
  float h = 0;
  float hq = 0;
  float hqq = 0;
  float hxq = 0;
};

/// x, h: the same length. q = clamp(round_half_even(x * inverse + phase), lo, hi). Sums run over
/// sixteen fixed lanes added in a fixed order, so that every instruction set gives the same bits.
AffineSums affine_sums(Floats x, Floats h, float inverse, float phase, float lo, float hi) noexcept;

}  // namespace zp
