// Codes improved one column at a time, by what all others have become: cyclic coordinate descent
// (QuantEase, Behdin et al., 2023).
//
// With D = W - Q and G = D H, f = tr(D H D^T) is least over column j alone where q_j moves by
// G_j / H_jj; the code nearest to that is the best there is for the unit's parameters as they
// stand. So f never grows, and every change of q_j takes its multiple of H's row off G.
//
// Where several columns are coded together nothing is done: their nearest codes need not be the
// best.
#pragma once

#include "method/coded_tile.h"

namespace zp {

/// w: what the tile was coded for. h: cols x cols, with a positive diagonal. limit: grid.limit().
void descend(Matrix w, Matrix h, float limit, int sweeps, CodedTile& tile);

}  // namespace zp
