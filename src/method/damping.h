// How far second moments are drawn towards their own diagonal before errors are spread by them.
//
// Few tokens say little of how inputs go together, and another text has them otherwise: an error
// that the columns behind make up for on the one is made larger on the other. H + s diag(H) is H
// shrunk towards inputs without correlations by s / (1 + s) (Ledoit and Wolf, 2004, with this
// target as Schaefer and Strimmer, 2005). Their formulas, which find s from the moments themselves,
// want what is off in the largest directions to be small, and find some thousandths; what GPTQ
// divides by are the smallest ones. So s is what measured best (bench/README.md).
#pragma once

#include <cstdint>

namespace zp {

/// Of moments of `columns` inputs, from `rows` tokens.
double default_shrink(std::int64_t columns, std::int64_t rows);

}  // namespace zp
