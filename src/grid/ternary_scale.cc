// Of codes -1, 0, 1 the best ones at a scale s take the weights of at least s / 2. With A = sum
// h |w| and B = sum h of those taken, s lowers the squared error by 2 s A - s^2 B, by A^2 / B at
// most, at s = A / B: the mean of those taken, which lies between the mean of all and the largest.
// So only which of the weights between half of one and half of the other are taken is open. They
// are cast into buckets by magnitude. Inside a bucket no sum is more than if all its sum of h |w|
// were made of its largest magnitude: buckets that cannot hold the best by that are passed over,
// the others are sorted.
#include "grid/ternary_scale.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "grid/scale_type.h"

namespace zp {
namespace {

constexpr std::size_t kBuckets = 64;
// Bucket 0 is always taken, the last one never.
constexpr std::size_t kNever = kBuckets + 1;
// More than FP32 sums and FP16 scales are off by, relatively.
constexpr float kMargin = 0x1p-9f;
// From here on FP16 scales have 11 bits.
constexpr float kSmallest = 0x1p-13f;

using Values = std::array<float, kTernaryBlock>;

struct Sums {
  double a = 0;
  double b = 0;
};

struct Best {
  double gain = 0;
  float scale = 0;

  void offer(const Sums& s) {
    if (!(s.a * s.a > gain * s.b) || !(s.b > 0)) return;
    const float stored = info(ScaleType::s16).nearest.round(s.a / s.b);
    offer(s, stored);
  }
  void offer(const Sums& s, float stored) {
    const double reached = 2.0 * stored * s.a - static_cast<double>(stored) * stored * s.b;
    if (reached > gain) *this = {reached, stored};
  }
};

float sum_of(const Values& x) {
  std::array<float, 16> part{};
  for (std::size_t i = 0; i < x.size(); i += part.size()) {
    for (std::size_t k = 0; k < part.size(); ++k) part[k] += x[i + k];
  }
  float sum = 0;
  for (const float p : part) sum += p;
  return sum;
}

class Search {
 public:
  Search(Floats w, Floats h) {
    for (std::size_t i = 0; i < kTernaryBlock; ++i) x_[i] = std::fabs(w[i]);
    if (h.empty()) {
      h_.fill(1);
    } else {
      std::copy(h.begin(), h.end(), h_.begin());
    }
  }

  float mean() const {
    Values hx;
    for (std::size_t i = 0; i < kTernaryBlock; ++i) hx[i] = h_[i] * x_[i];
    return sum_of(hx) / sum_of(h_);
  }

  float run(float mean, float largest) {
    const float top = largest / 2 * (1 + kMargin);
    const float bottom = mean / 2 * (1 - kMargin);
    cast(top, top > bottom ? kBuckets / (top - bottom) : 0);
    const float width = (top - bottom) / kBuckets;
    Best best;
    best.offer(bucket_[0]);
    best.offer(best_edge());
    Sums before = bucket_[0];
    std::array<Sums, kBuckets + 1> taken;
    std::array<bool, kBuckets + 2> open{};
    for (std::size_t k = 1; k <= kBuckets; ++k) {
      const double most = (top - width * static_cast<float>(k - 1)) * (1 + kMargin);
      const double a = before.a + bucket_[k].a;
      open[k] = a * a > best.gain * (before.b + bucket_[k].a / most);
      taken[k] = before;
      before.a = a;
      before.b += bucket_[k].b;
    }
    look_into(open, taken, best);
    return best.scale;
  }

 private:
  void cast(float top, float per_width) {
    for (std::size_t i = 0; i < kTernaryBlock; ++i) {
      const float down = std::min((top - x_[i]) * per_width, static_cast<float>(kBuckets));
      at_[i] = x_[i] >= top ? 0 : 1 + static_cast<std::int32_t>(down);
    }
    // Four sums of each, for one store waits for the other.
    std::array<std::array<Sums, kBuckets + 2>, 4> parts{};
    for (std::size_t i = 0; i < kTernaryBlock; ++i) {
      Sums& s = parts[i % 4][static_cast<std::size_t>(at_[i])];
      s.a += static_cast<double>(h_[i]) * x_[i];
      s.b += h_[i];
    }
    for (std::size_t k = 0; k < bucket_.size(); ++k) {
      bucket_[k].a = (parts[0][k].a + parts[1][k].a) + (parts[2][k].a + parts[3][k].a);
      bucket_[k].b = (parts[0][k].b + parts[1][k].b) + (parts[2][k].b + parts[3][k].b);
    }
  }

  Sums best_edge() const {
    Sums sum = bucket_[0];
    Sums best = sum;
    for (std::size_t k = 1; k <= kBuckets; ++k) {
      sum.a += bucket_[k].a;
      sum.b += bucket_[k].b;
      if (sum.a * sum.a * best.b > best.a * best.a * sum.b) best = sum;
    }
    return best;
  }

  // Every number of weights that may be taken of the open buckets, the largest first.
  void look_into(const std::array<bool, kBuckets + 2>& open,
                 const std::array<Sums, kBuckets + 1>& taken, Best& best) {
    std::array<std::uint8_t, kTernaryBlock> found;
    std::size_t count = 0;
    for (std::size_t i = 0; i < kTernaryBlock; ++i) {
      found[count] = static_cast<std::uint8_t>(i);
      count += open[static_cast<std::size_t>(at_[i])] ? 1 : 0;
    }
    std::sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count),
              [&](std::uint8_t i, std::uint8_t k) { return x_[i] > x_[k]; });
    std::size_t bucket = 0;
    Sums sum;
    for (std::size_t n = 0; n < count; ++n) {
      const std::uint8_t i = found[n];
      if (const auto k = static_cast<std::size_t>(at_[i]); k != bucket) {
        bucket = k;
        sum = taken[k];
      }
      sum.a += static_cast<double>(h_[i]) * x_[i];
      sum.b += h_[i];
      best.offer(sum);
    }
  }

  Values x_, h_;
  std::array<std::int32_t, kTernaryBlock> at_;
  std::array<Sums, kBuckets + 2> bucket_;
};

}  // namespace

float ternary_scale(Floats w, Floats h, float largest) noexcept {
  const StoredScale stored = info(ScaleType::s16).nearest;
  Search search(w, h);
  const float mean = search.mean();
  if (!(mean >= kSmallest && std::isfinite(mean))) return fit_scale(w, h, -1, 1, false, stored);
  return search.run(mean, largest);
}

}  // namespace zp
