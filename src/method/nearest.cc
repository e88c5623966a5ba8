// Round to nearest: each group's range from its smallest to its largest weight.
#include "method/method.h"

namespace zp {
namespace {

void code(const Grid& grid, Matrix w, const InputStatistics&, const MethodOptions&, PlanesOut out) {
  grid.quantize(w, {}, Fit::range, out);
}

}  // namespace

extern const Method method_nearest;
const Method method_nearest{"nearest",
                            "round to nearest, ranges from the smallest to the largest weight",
                            Fit::range, false, code};

}  // namespace zp
