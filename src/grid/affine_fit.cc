#include "grid/affine_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernel/affine_sums.h"
#include "kernel/range.h"

namespace zp {
namespace {

// Groups up to this size walk the path; longer ones (a whole channel) take a raster, whose error
// curve is smooth at that length.
constexpr std::size_t kPathWeights = 512;
// 16-bit codes have too many breakpoints, and nothing to gain.
constexpr int kPathCodes = 255;

struct Best {
  double error = std::numeric_limits<double>::infinity();
  float scale = 0;
};

// x and h of one group, with what every fit needs of them.
struct Group {
  Floats x;
  Floats h;
  double energy = 0;  // sum h x^2
};

// The error of scale A / B rounded to a stored one, kept if it is the best so far.
void try_scale(double a, double b, double energy, bool flip, StoredScale stored, Best& best) {
  if (!(b > 0) || !(energy - a * a / b < best.error)) return;
  const float s = stored.round(a / b);
  const double error = energy - 2.0 * s * a + static_cast<double>(s) * s * b;
  if (s != 0 && error < best.error) best = {error, flip ? -s : s};
}

// A weight's next change of code: |x| t reaches the middle between two codes.
struct Breakpoint {
  float t;
  std::int32_t index;
};

// Ascending in t. Values are spread over [from, to), so one pass into buckets leaves little to
// sort.
void sort_breakpoints(std::vector<Breakpoint>& events, std::vector<Breakpoint>& sorted, float from,
                      float to) {
  constexpr int kBuckets = 128;
  std::array<std::int32_t, kBuckets + 1> begin{};
  const float per_bucket = kBuckets / (to - from);
  const auto bucket = [&](float t) {
    return std::clamp(static_cast<int>((t - from) * per_bucket), 0, kBuckets - 1);
  };
  for (const Breakpoint& e : events) ++begin[static_cast<std::size_t>(bucket(e.t)) + 1];
  for (std::size_t b = 1; b <= kBuckets; ++b) begin[b] += begin[b - 1];
  sorted.resize(events.size());
  for (const Breakpoint& e : events) {
    sorted[static_cast<std::size_t>(begin[static_cast<std::size_t>(bucket(e.t))]++)] = e;
  }
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const Breakpoint e = sorted[i];
    std::size_t k = i;
    for (; k > 0 && sorted[k - 1].t > e.t; --k) sorted[k] = sorted[k - 1];
    sorted[k] = e;
  }
}

// One orientation of the scale: positive weights reach up to `up` codes, negative ones `down`.
class Path {
 public:
  Path(const Group& group, int up, int down, bool flip, StoredScale stored, Best& best)
      : group_(group), up_(up), down_(down), flip_(flip), stored_(stored), best_(best) {}

  void walk() {
    const Range range = min_max(group_.x);
    const double fit_up = range.hi > 0 && up_ > 0 ? up_ / static_cast<double>(range.hi) : kNever;
    const double fit_down =
        range.lo < 0 && down_ > 0 ? down_ / -static_cast<double>(range.lo) : kNever;
    const double fit = std::min(fit_up, fit_down);  // the largest t that clips nothing
    if (fit == kNever || !std::isfinite(static_cast<float>(fit * kLast))) return;
    const int limit = std::max(up_, down_);
    double t = limit <= kExactCodes ? fit / 2 : fit * (limit - kExactCodes / 2.0) / limit;
    start(t);
    for (double codes = limit + 2;; codes = std::max(codes + 2, codes * 1.05)) {
      const double next = fit * codes / limit;
      advance(t, next);
      t = next;
      if (clipping_error(t) >= best_.error || next > fit * kLast) return;
    }
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  static constexpr double kLast = 64;  // beyond, every weight that matters is clipped

  int limit_of(float x) const { return x > 0 ? up_ : down_; }

  void start(double t) {
    code_.resize(group_.x.size());
    for (std::size_t i = 0; i < group_.x.size(); ++i) {
      const double magnitude = std::fabs(group_.x[i]);
      const int k =
          std::min(static_cast<int>(std::floor(magnitude * t + 0.5)), limit_of(group_.x[i]));
      code_[i] = k;
      a_ += group_.h[i] * magnitude * k;
      b_ += static_cast<double>(group_.h[i]) * k * k;
    }
    try_scale(a_, b_, group_.energy, flip_, stored_, best_);
  }

  void advance(double from, double to) {
    events_.clear();
    const auto end = static_cast<float>(to);
    for (std::size_t i = 0; i < group_.x.size(); ++i) {
      const float magnitude = std::fabs(group_.x[i]);
      if (magnitude == 0) continue;
      for (int k = code_[i]; k < limit_of(group_.x[i]); ++k) {
        const float t = (static_cast<float>(k) + 0.5f) / magnitude;
        if (!(t < end)) break;
        events_.push_back({t, static_cast<std::int32_t>(i)});
      }
    }
    sort_breakpoints(events_, sorted_, static_cast<float>(from), end);
    for (const Breakpoint& e : sorted_) {
      const auto i = static_cast<std::size_t>(e.index);
      const double h = group_.h[i];
      a_ += h * std::fabs(group_.x[i]);
      b_ += h * (2 * code_[i] + 1);
      ++code_[i];
      try_scale(a_, b_, group_.energy, flip_, stored_, best_);
    }
  }

  double clipping_error(double t) const {
    double sum = 0;
    for (std::size_t i = 0; i < group_.x.size(); ++i) {
      const double over = std::fabs(group_.x[i]) - limit_of(group_.x[i]) / t;
      if (over > 0) sum += group_.h[i] * over * over;
    }
    return sum;
  }

  const Group& group_;
  int up_;
  int down_;
  bool flip_;
  StoredScale stored_;
  Best& best_;
  std::vector<int> code_;
  double a_ = 0;
  double b_ = 0;
  std::vector<Breakpoint> events_;
  std::vector<Breakpoint> sorted_;
};

// Long groups: a raster of ranges from a little wider than the extremes to a 32nd of them, then a
// finer one around the best.
void raster(const Group& group, int lo, int hi, bool flip, StoredScale stored, Best& best) {
  const Range range = min_max(group.x);
  const double need = std::max(range.hi / std::max(1e-9, static_cast<double>(hi)),
                               range.lo / std::min(-1e-9, static_cast<double>(lo)));
  if (!(need > 0)) return;
  double best_t = 0;
  const auto try_t = [&](double t) {
    const AffineSums s = affine_sums(group.x, group.h, static_cast<float>(t), 0.0f,
                                     static_cast<float>(lo), static_cast<float>(hi));
    const double before = best.error;
    try_scale(s.hxq, s.hqq, group.energy, flip, stored, best);
    if (best.error < before) best_t = t;
  };
  for (double ratio = 0.95; ratio < 32; ratio *= 1.05) try_t(ratio / need);
  const double centre = best_t;
  for (int i = -8; i <= 8 && centre > 0; ++i) try_t(centre * (1 + 0.006 * i));
}

}  // namespace

float fit_scale(Floats x, Floats h, int lo, int hi, bool negative, StoredScale stored,
                double* error) {
  const std::vector<float> ones(h.empty() ? x.size() : 0, 1.0f);
  Group group{x, h.empty() ? Floats(ones) : h};
  for (std::size_t i = 0; i < x.size(); ++i) {
    group.energy += static_cast<double>(group.h[i]) * x[i] * x[i];
  }
  Best best;
  best.error = group.energy;  // scale 0: every weight becomes 0
  const auto orient = [&](const Group& g, int from, int to, bool flip) {
    if (x.size() <= kPathWeights && std::max(to, -from) <= kPathCodes) {
      Path(g, to, -from, flip, stored, best).walk();
    } else {
      raster(g, from, to, flip, stored, best);
    }
  };
  orient(group, lo, hi, false);
  // A negative scale mirrors the codes: x ~ -s k is x ~ s k' with k' in [-hi, -lo].
  if (negative && hi != -lo) orient(group, -hi, -lo, true);
  if (error != nullptr) *error = best.error;
  return best.scale;
}

namespace {

// Least squares of x ~ s q + m from the sums; m alone when all codes are equal.
struct Line {
  double scale = 0;
  double offset = 0;
};

Line least_squares(const AffineSums& s, double hx) {
  const double determinant = static_cast<double>(s.h) * s.hqq - static_cast<double>(s.hq) * s.hq;
  if (!(determinant > 1e-9 * s.h * s.hqq)) return {0, s.h > 0 ? hx / s.h : 0};
  return {(static_cast<double>(s.h) * s.hxq - static_cast<double>(s.hq) * hx) / determinant,
          (static_cast<double>(s.hqq) * hx - static_cast<double>(s.hq) * s.hxq) / determinant};
}

class OffsetSearch {
 public:
  OffsetSearch(Floats y, Floats h, int levels) : y_(y), h_(h), levels_(static_cast<float>(levels)) {
    for (std::size_t i = 0; i < y.size(); ++i) hy_ += static_cast<double>(h[i]) * y[i];
  }

  // Error of nearest codes on (scale, offset), summed in double: what candidates are compared by.
  double error(double scale, double offset) const {
    double sum = 0;
    const auto s = static_cast<float>(scale);
    const auto m = static_cast<float>(offset);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const float q = s > 0 ? std::nearbyint(std::clamp((y_[i] - m) / s, 0.0f, levels_)) : 0.0f;
      const double e = static_cast<double>(y_[i]) - (static_cast<double>(s) * q + m);
      sum += h_[i] * e * e;
    }
    return sum;
  }

  AffineSums sums(double scale, double offset) const {
    return affine_sums(y_, h_, static_cast<float>(1 / scale), static_cast<float>(-offset / scale),
                       0.0f, levels_);
  }

  // Alternates nearest codes and least squares; each half can only lower the error.
  Line improve(Line line, int rounds) const {
    for (int i = 0; i < rounds && line.scale > 0; ++i) {
      const Line next = least_squares(sums(line.scale, line.offset), hy_);
      if (next.scale == line.scale && next.offset == line.offset) break;
      line = next;
    }
    return line;
  }

  // The offset that fits best when the scale is given.
  double offset_for(double scale, double offset) const {
    if (!(scale > 0)) return least_squares({}, 0).offset;
    const AffineSums s = sums(scale, offset);
    return s.h > 0 ? (hy_ - scale * s.hq) / s.h : offset;
  }

 private:
  Floats y_;
  Floats h_;
  float levels_;
  double hy_ = 0;
};

}  // namespace

ScaleOffset fit_scale_offset(Floats x, Floats h, int levels, StoredScale stored,
                             StoredScale stored_offset, double* error) {
  const std::vector<float> ones(h.empty() ? x.size() : 0, 1.0f);
  const Range range = min_max(x);
  const double width = static_cast<double>(range.hi) - range.lo;
  // Weights measured from their minimum, so that sums in FP32 don't cancel when it is large.
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] - range.lo;
  const OffsetSearch search(y, h.empty() ? Floats(ones) : h, levels);

  const ScaleOffset extremes{stored.round(width / levels), stored_offset.round(range.lo)};
  ScaleOffset best = extremes;
  double best_error = search.error(best.scale, static_cast<double>(best.offset) - range.lo);
  const auto keep = [&](float scale, float offset) {
    const double e = search.error(scale, static_cast<double>(offset) - range.lo);
    if (scale >= 0 && e < best_error) {
      best_error = e;
      best = {scale, offset};
    }
  };
  if (static_cast<float>(width) > 0 && std::isfinite(static_cast<float>(levels / width))) {
    Line line;
    double line_error = std::numeric_limits<double>::infinity();
    for (const double ratio : {1.04, 1.0, 0.96, 0.92, 0.87, 0.81, 0.74, 0.66, 0.57, 0.45, 0.33}) {
      for (const double share :
           {0.0, 0.25, 0.5, 0.75, 1.0}) {  // of the cut taken off the lower end
        const double cut = width * (1 - ratio);
        const Line start{width * ratio / levels, cut * share};
        const Line found = search.improve(start, 2);
        const double e = found.scale > 0 ? search.error(found.scale, found.offset) : line_error;
        if (e < line_error) {
          line_error = e;
          line = found;
        }
      }
    }
    line = search.improve(line, 8);
    const float scale = stored.round(line.scale);
    keep(scale, stored_offset.round(line.offset + range.lo));
    keep(scale, stored_offset.round(search.offset_for(scale, line.offset) + range.lo));
    keep(
        best.scale,
        stored_offset.round(
            search.offset_for(best.scale, static_cast<double>(best.offset) - range.lo) + range.lo));
  }
  if (error != nullptr) *error = best_error;
  return best;
}

}  // namespace zp
