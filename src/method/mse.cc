// Round to nearest on ranges searched for the least squared error, weighted by importance if there
// is any. Up to 4 bits without an offset the range found is the best of all (see
// grid/affine_fit.h).
#include "method/method.h"

namespace zp {
namespace {

class Mse final : public Coder {
 public:
  Mse()
      : Coder("mse", "round to nearest, ranges searched for the least (weighted) squared error") {}

  std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics& inputs,
                             PlanesOut out) const override {
    grid.quantize(w, inputs.importance, Fit::search, out);
    return {};
  }
};

}  // namespace

std::unique_ptr<Coder> method_mse() { return std::make_unique<Mse>(); }

}  // namespace zp
