#include "method/feedback.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#include "kernel/double_dot.h"

namespace zp {
namespace {

constexpr std::int64_t kPanel = 64;     // columns of R found together
constexpr std::int64_t kRows = 16;      // rows for one thread
constexpr std::int64_t kTogether = 16;  // rows of the result that share the reading of R

// H is kept in the lower triangle, so that it can be tried again; R grows in the upper one.
class Factor {
 public:
  Factor(View2D<double> h, const Team& team) : a_(h), n_(h.rows), team_(team) {}

  // False: not positive definite.
  bool find(const std::vector<double>& diagonal, double damping) {
    for (std::int64_t i = 0; i < n_; ++i) {
      at(i, i) = diagonal[static_cast<std::size_t>(i)] + damping;
      for (std::int64_t j = i + 1; j < n_; ++j) at(i, j) = at(j, i);
    }
    for (std::int64_t end = n_; end > 0; end -= std::min(kPanel, end)) {
      if (!panel(std::max(end - kPanel, std::int64_t{0}), end)) return false;
    }
    return true;
  }

  // Rows of the inverse's transpose: R times column j of U is column j of the unit matrix.
  std::vector<float> inverse_transposed() const {
    std::vector<float> out(static_cast<std::size_t>(checked_mul(n_, n_, "feedback factor")));
    team_.run(ceil_div(n_, kTogether), [&](std::int64_t part) {
      // The longest rows first: they take the most time.
      const std::int64_t end = n_ - part * kTogether;
      rows(std::max(end - kTogether, std::int64_t{0}), end, out.data());
    });
    return out;
  }

 private:
  double& at(std::int64_t i, std::int64_t j) const { return a_.data[i * a_.stride + j]; }

  // R's columns [begin, end), given those behind.
  bool panel(std::int64_t begin, std::int64_t end) {
    team_.run(ceil_div(end, kRows), [&](std::int64_t part) {
      for (std::int64_t i = part * kRows; i < std::min(end, (part + 1) * kRows); ++i) {
        std::int64_t j = std::max(i, begin);
        for (; j + kDoubleDots <= end; j += kDoubleDots) {
          std::array<double, kDoubleDots> sums;
          double_dots(&at(i, 0) + end, &at(j, 0) + end, a_.stride, n_ - end, sums.data());
          for (std::size_t k = 0; k < sums.size(); ++k)
            at(i, j + static_cast<std::int64_t>(k)) -= sums[k];
        }
        for (; j < end; ++j) at(i, j) -= double_dot(&at(i, 0) + end, &at(j, 0) + end, n_ - end);
      }
    });
    for (std::int64_t j = end - 1; j >= begin; --j) {
      const double pivot = at(j, j) - double_dot(&at(j, j) + 1, &at(j, j) + 1, end - j - 1);
      if (!(pivot > 0)) return false;
      at(j, j) = std::sqrt(pivot);
      for (std::int64_t i = begin; i < j; ++i) solve(i, j, end);
    }
    team_.run(ceil_div(begin, kRows), [&](std::int64_t part) {
      for (std::int64_t i = part * kRows; i < std::min(begin, (part + 1) * kRows); ++i) {
        for (std::int64_t j = end - 1; j >= begin; --j) solve(i, j, end);
      }
    });
    return true;
  }

  void solve(std::int64_t i, std::int64_t j, std::int64_t end) {
    at(i, j) = (at(i, j) - double_dot(&at(i, j) + 1, &at(j, j) + 1, end - j - 1)) / at(j, j);
  }

  // The part of R that is above and beside its diagonal is read once for all rows.
  void rows(std::int64_t begin, std::int64_t end, float* out) const {
    std::vector<double> u(static_cast<std::size_t>(kTogether * n_));
    std::array<double, kTogether> sums;
    for (std::int64_t i = end - 1; i >= 0; --i) {
      const std::int64_t first = std::max(i, begin);
      // Rows below i are zero up to their diagonal, so all may be summed to the last one's.
      for (std::int64_t k = 0; k < kTogether; k += kDoubleDots) {
        double_dots(&at(i, 0) + i + 1, u.data() + k * n_ + i + 1, n_, end - 1 - i, sums.data() + k);
      }
      for (std::int64_t j = first; j < end; ++j) {
        const double sum = i == j ? 1 : -sums[static_cast<std::size_t>(j - begin)];
        double& value = u[static_cast<std::size_t>((j - begin) * n_ + i)];
        value = sum / at(i, i);
        out[j * n_ + i] = static_cast<float>(value);
      }
    }
  }

  View2D<double> a_;
  std::int64_t n_;
  const Team& team_;
};

}  // namespace

std::vector<float> feedback_factor(View2D<double> h, double damp, const Team& team) {
  std::vector<double> diagonal;
  double mean = 0;
  for (std::int64_t i = 0; i < h.rows; ++i) {
    diagonal.push_back(h.row(i)[static_cast<std::size_t>(i)]);
    mean += diagonal.back() / static_cast<double>(h.rows);
  }
  if (!std::isfinite(mean)) throw Error("calibration", "activations are not finite");
  Factor factor(h, team);
  double damping = mean > 0 ? damp * mean : 1;
  while (!factor.find(diagonal, damping)) {
    damping *= 10;
    if (!std::isfinite(damping)) throw Error("calibration", "activations are not finite");
  }
  return factor.inverse_transposed();
}

}  // namespace zp
