// The range with the least expected squared error on the given grid (expected_error.h).
//
// Found on a raster: both ends drawn in together first, by 2 % at a time; with a zero-point or a
// minimum then each end alone, until neither moves; finer steps around what was found. Ends are
// drawn towards 0, with a minimum towards the median.
#include <algorithm>

#include "observer/expected_error.h"
#include "observer/observer.h"

namespace zp {
namespace {

constexpr double kStep = 0.98;
constexpr double kLeast = 1.0 / 256;
constexpr double kFineStep = 0.002;
constexpr int kFineSteps = 9;
constexpr int kRounds = 8;

double median(std::span<const HistogramPiece> pieces, std::uint64_t count) {
  std::uint64_t below = 0;
  for (const HistogramPiece& p : pieces) {
    below += p.count;
    if (2 * below >= count) return (p.lo + p.hi) / 2;
  }
  return 0;
}

// Ends as shares of the way from the centre to the extremes.
struct Ends {
  double lo = 1;
  double hi = 1;
};

class Search {
 public:
  Search(const Histogram& histogram, const AffineForm& form)
      : form_(form), pieces_(histogram.pieces()), extremes_(histogram.extremes()) {
    if (form.offset == Offset::min) centre_ = median(pieces_, histogram.count());
    below_ = centre_ - extremes_.lo;
    above_ = extremes_.hi - centre_;
    error_ = error(best_);
  }

  Range run() {
    const bool apart = form_.offset == Offset::zero || form_.offset == Offset::min;
    const auto together = [this](double share) { return drawn_in(share); };
    const auto low = [this](double share) { return Ends{share, best_.hi}; };
    const auto high = [this](double share) { return Ends{best_.lo, share}; };
    scan(together);
    refine(together, reach());
    for (int i = 0; i < kRounds && apart; ++i) {
      const double before = error_;
      scan(low);
      refine(low, best_.lo);
      scan(high);
      refine(high, best_.hi);
      if (!(error_ < before)) break;
    }
    return range(best_);
  }

 private:
  // Both ends at most `share` of the farther extreme away from the centre.
  Ends drawn_in(double share) {
    const double most = share * std::max(below_, above_);
    return {below_ > most ? most / below_ : 1, above_ > most ? most / above_ : 1};
  }
  // The share that gave the best ends.
  double reach() const {
    const double farther = std::max(below_, above_);
    return farther > 0 ? std::max(best_.lo * below_, best_.hi * above_) / farther : 1;
  }

  Range range(Ends ends) const {
    Range out = extremes_;
    if (ends.lo < 1) out.lo = static_cast<float>(centre_ - ends.lo * below_);
    if (ends.hi < 1) out.hi = static_cast<float>(centre_ + ends.hi * above_);
    return out;
  }

  double error(Ends ends) const {
    const Range r = range(ends);
    return expected_error(pieces_, affine_params(form_, r.lo, r.hi));
  }

  void attempt(Ends ends) {
    const double found = error(ends);
    if (!(found < error_)) return;
    error_ = found;
    best_ = ends;
  }

  template <class Along>
  void scan(const Along& along) {
    for (double share = 1; share > kLeast; share *= kStep) attempt(along(share));
  }

  template <class Along>
  void refine(const Along& along, double centre) {
    for (int i = -kFineSteps; i <= kFineSteps; ++i)
      attempt(along(std::min(1.0, centre * (1 + kFineStep * i))));
  }

  const AffineForm& form_;
  std::vector<HistogramPiece> pieces_;
  Range extremes_;
  double centre_ = 0;
  double below_ = 0;  // from the centre to the extremes
  double above_ = 0;
  Ends best_;
  double error_ = 0;
};

Range range(const Observed& seen, const AffineForm& form, const ObserverOptions&) {
  return Search(seen.histogram, form).run();
}

}  // namespace

extern const Observer observer_mse;
const Observer observer_mse{"mse", "the range with the least expected squared error on the grid",
                            false, range};

}  // namespace zp
