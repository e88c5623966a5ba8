// How far second moments are drawn towards their own diagonal before errors are spread by them.
//
// Few tokens say little of how inputs go together, and another text has them otherwise: an error
// that the columns behind make up for on the one grows on the other. H + s diag(H) is H shrunk
// towards inputs without correlations by s / (1 + s) (Ledoit and Wolf, 2004, with this target as
// Schaefer and Strimmer, 2005). Formulas that find it from the moments alone, such as OAS (Chen,
// Wiesel, Eldar, Hero, 2010), make the squared distance of whole matrices small, in which the
// largest directions count, and give a fifth to a fiftieth of what measures best: what GPTQ divides
// by are the smallest. So s is in proportion to columns / rows, as measured (bench/README.md).
#pragma once

#include <cstdint>

namespace zp {

/// s, for moments of `columns` inputs from `rows` tokens.
double default_shrink(std::int64_t columns, std::int64_t rows);

}  // namespace zp
