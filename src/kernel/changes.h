// What a change of a few values does to the sums they are in. Each product and each sum is rounded
// by itself, in ascending order of what changed: the same bits whether changes come one by one or
// together, and on every instruction set.
#pragma once

#include "base/view.h"

namespace zp {

/// out[i][r] += factors[i] row[r].
void add_outer(Floats factors, Floats row, View2D<float> out) noexcept;

/// out.row(r) += p[j][r] v.row(j) for ascending j, where p[j][r] isn't 0: p has a column for each
/// row of out, a row for each of v. Quick where most are 0.
void add_changed_rows(Matrix p, Matrix v, View2D<float> out);

}  // namespace zp
