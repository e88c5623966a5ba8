#include "method/feedback.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kPanel = 64;    // columns of R found together
constexpr std::int64_t kRows = 16;     // rows for one thread
constexpr std::int64_t kTogether = 8;  // rows of the result that share the reading of R

// Eight lanes, then they in order.
double dot(const double* a, const double* b, std::int64_t count) {
  std::array<double, 8> lanes{};
  const std::int64_t whole = count / 8 * 8;
  for (std::int64_t k = 0; k < whole; k += 8) {
    for (std::size_t l = 0; l < 8; ++l)
      lanes[l] += a[k + static_cast<std::int64_t>(l)] * b[k + static_cast<std::int64_t>(l)];
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (std::int64_t k = whole; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

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
        for (std::int64_t j = std::max(i, begin); j < end; ++j)
          at(i, j) -= dot(&at(i, 0) + end, &at(j, 0) + end, n_ - end);
      }
    });
    for (std::int64_t j = end - 1; j >= begin; --j) {
      const double pivot = at(j, j) - dot(&at(j, j) + 1, &at(j, j) + 1, end - j - 1);
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
    at(i, j) = (at(i, j) - dot(&at(i, j) + 1, &at(j, j) + 1, end - j - 1)) / at(j, j);
  }

  void rows(std::int64_t begin, std::int64_t end, float* out) const {
    std::vector<double> u(static_cast<std::size_t>((end - begin) * n_));
    for (std::int64_t i = end - 1; i >= 0; --i) {
      for (std::int64_t j = std::max(i, begin); j < end; ++j) {
        double* row = u.data() + (j - begin) * n_;
        const double sum = i == j ? 1 : -dot(&at(i, 0) + i + 1, row + i + 1, j - i);
        row[i] = sum / at(i, i);
        out[j * n_ + i] = static_cast<float>(row[i]);
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
