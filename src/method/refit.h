// Units fitted anew, each beside what all others have become.
//
// With everything outside unit u as it is, f = tr((W - Q) H (W - Q)^T) is, but for a constant,
// (q - t) H_uu (q - t)^T over the unit's columns, least at t = q + G_u H_uu^-1 (error_gradient.h). The unit
// is opened for t and coded with errors spread inside it as GPTQ spreads them; rows for which that
// is worse than what they had keep it. So f never grows.
#pragma once

#include "method/error_gradient.h"

namespace zp {

/// One pass over all units of at most 256 columns whose columns are coded one by one. limit:
/// grid.limit().
void refit(float limit, CodedTile& tile, ErrorGradient& gradient);

}  // namespace zp
