// From the smallest to the largest value there was.
#include "observer/observer.h"

namespace zp {
namespace {

Range range(const Observed& seen, const AffineForm&, const ObserverOptions&) {
  return seen.histogram.extremes();
}

}  // namespace

extern const Observer observer_min_max;
const Observer observer_min_max{"min-max", "from the smallest to the largest value", false, range};

}  // namespace zp
