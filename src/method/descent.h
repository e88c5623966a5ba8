// Codes improved one column at a time, by what all others have become: cyclic coordinate descent
// (QuantEase, Behdin et al., 2023).
//
// f = tr((W - Q) H (W - Q)^T) is least over column j alone where q_j moves by G_j / H_jj (error_gradient.h);
// the code nearest to that is the best there is for the unit's parameters as they stand. So f never
// grows.
//
// Where several columns are coded together nothing is done: their nearest codes need not be the
// best.
#pragma once

#include "method/error_gradient.h"

namespace zp {

/// One sweep over all columns. limit: grid.limit().
void descend(float limit, CodedTile& tile, ErrorGradient& gradient);

}  // namespace zp
