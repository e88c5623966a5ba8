// Round to nearest on ranges searched for the least squared error, weighted by importance if there
// is any. Up to 4 bits without an offset the range found is the best of all (see
// grid/affine_fit.h).
#include "method/method.h"

namespace zp {
namespace {

std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics& inputs,
                           const MethodOptions&, PlanesOut out) {
  grid.quantize(w, inputs.importance, Fit::search, out);
  return {};
}

}  // namespace

extern const Method method_mse;
const Method method_mse{"mse",
                        "round to nearest, ranges searched for the least (weighted) squared error",
                        Fit::search, false, code};

}  // namespace zp
