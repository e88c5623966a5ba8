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

// A = sum h x k and B = sum h k^2 of one code vector.
struct Sums {
  double a = 0;
  double b = 0;
};

// The error of scale A / B rounded to a stored one, kept if it is the best so far.
void try_scale(const Sums& s, double energy, bool flip, StoredScale stored, Best& best) {
  // Least squares reaches energy - A^2 / B; no stored scale reaches less.
  if (!(s.a * s.a > (energy - best.error) * s.b) || !(s.b > 0)) return;
  const float scale = stored.round(s.a / s.b);
  const double error = energy - 2.0 * scale * s.a + static_cast<double>(scale) * scale * s.b;
  if (scale != 0 && error < best.error) best = {error, flip ? -scale : scale};
}

// A weight's next change of code: |x| t reaches the middle between two codes.
struct Breakpoint {
  float t;
  std::int32_t index;
};

// A weight on the path: its code so far, and where codes end for each sign of the scale.
struct Weighted {
  double magnitude;
  double h;
  int code;
  std::array<int, 2> limit;
};

// Reused from group to group by each thread: groups are small and many.
struct Scratch {
  std::vector<Weighted> weights;
  std::vector<Breakpoint> events;
  std::vector<Breakpoint> sorted;
};

// Ascending in t. Values are spread over [from, to), so one pass into buckets leaves little to
// sort.
void sort_breakpoints(Scratch& s, float from, float to) {
  constexpr int kBuckets = 64;
  std::array<std::int32_t, kBuckets + 1> begin{};
  const float per_bucket = kBuckets / (to - from);
  const auto bucket = [&](float t) {
    const float at = (t - from) * per_bucket;  // NaN or infinite where to is as good as from
    return at > 0 ? static_cast<std::size_t>(std::min(at, kBuckets - 1.0f)) : 0;
  };
  for (const Breakpoint& e : s.events) ++begin[bucket(e.t) + 1];
  for (std::size_t b = 1; b <= kBuckets; ++b) begin[b] += begin[b - 1];
  s.sorted.resize(s.events.size());
  for (const Breakpoint& e : s.events) s.sorted[static_cast<std::size_t>(begin[bucket(e.t)]++)] = e;
  for (std::size_t i = 1; i < s.sorted.size(); ++i) {
    const Breakpoint e = s.sorted[i];
    std::size_t k = i;
    for (; k > 0 && s.sorted[k - 1].t > e.t; --k) s.sorted[k] = s.sorted[k - 1];
    s.sorted[k] = e;
  }
}

// One sign of the scale: how many codes positive and negative weights have.
struct Side {
  int up;
  int down;
  bool flip;
  Sums sums;
};

// Walks the path once for both signs of the scale: the breakpoints are the same, only where the
// codes end differs.
class Path {
 public:
  Path(const Group& group, std::span<Side> sides, StoredScale stored, Scratch& scratch, Best& best)
      : group_(group), sides_(sides), stored_(stored), scratch_(scratch), best_(best) {}

  void walk() {
    const Range range = min_max(group_.x);
    double fit = kNever;  // the largest t that clips nothing for some sign
    for (const Side& s : sides_) {
      if (range.hi > 0 && s.up > 0) fit = std::min(fit, s.up / static_cast<double>(range.hi));
      if (range.lo < 0 && s.down > 0) fit = std::min(fit, s.down / -static_cast<double>(range.lo));
      limit_ = std::max({limit_, s.up, s.down});
    }
    // The last step may go beyond kLast, by less than twice.
    if (fit == kNever || !std::isfinite(static_cast<float>(2 * fit * kLast))) return;
    prepare();
    // Where the best usually is; with it known, most of the path needs one look.
    start(fit * (limit_ + 1) / limit_);
    start(fit);
    double t = limit_ <= kExactCodes ? fit / 2 : fit * (limit_ - kExactCodes / 2.0) / limit_;
    start(t);
    for (double codes = limit_ + 3;; codes = std::max(codes + 3, codes * 1.05)) {
      const double next = fit * codes / limit_;
      advance(t, next);
      t = next;
      if (next > fit * kLast || clipping_costs_more(t)) return;
    }
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  static constexpr double kLast = 64;  // beyond, every weight that matters is clipped

  void prepare() {
    scratch_.weights.resize(group_.x.size());
    for (std::size_t i = 0; i < group_.x.size(); ++i) {
      Weighted& w = scratch_.weights[i];
      w = {std::fabs(group_.x[i]), group_.h[i], 0, {0, 0}};
      for (std::size_t s = 0; s < sides_.size(); ++s) {
        w.limit[s] = group_.x[i] > 0 ? sides_[s].up : sides_[s].down;
      }
    }
  }

  // The code vectors at t, from scratch.
  void start(double t) {
    for (Side& s : sides_) s.sums = {};
    for (Weighted& w : scratch_.weights) {
      w.code = static_cast<int>(std::min(w.magnitude * t + 0.5, static_cast<double>(limit_)));
      for (std::size_t s = 0; s < sides_.size(); ++s) {
        const double k = std::min(w.code, w.limit[s]);
        sides_[s].sums.a += w.h * w.magnitude * k;
        sides_[s].sums.b += w.h * k * k;
      }
    }
    for (const Side& s : sides_) try_scale(s.sums, group_.energy, s.flip, stored_, best_);
  }

  void advance(double from, double to) {
    scratch_.events.clear();
    const auto end = static_cast<float>(to);
    for (std::size_t i = 0; i < scratch_.weights.size(); ++i) {
      const Weighted& w = scratch_.weights[i];
      const auto magnitude = static_cast<float>(w.magnitude);
      const int last =
          static_cast<int>(std::min(magnitude * end + 0.5f, static_cast<float>(limit_)));
      const float inverse = 1.0f / magnitude;
      for (int k = w.code; k < last; ++k) {
        scratch_.events.push_back(
            {(static_cast<float>(k) + 0.5f) * inverse, static_cast<std::int32_t>(i)});
      }
    }
    sort_breakpoints(scratch_, static_cast<float>(from), end);
    for (const Breakpoint& e : scratch_.sorted) {
      Weighted& w = scratch_.weights[static_cast<std::size_t>(e.index)];
      const int k = w.code++;
      for (std::size_t s = 0; s < sides_.size(); ++s) {
        if (k >= w.limit[s]) continue;
        sides_[s].sums.a += w.h * w.magnitude;
        sides_[s].sums.b += w.h * (2 * k + 1);
        try_scale(sides_[s].sums, group_.energy, sides_[s].flip, stored_, best_);
      }
    }
  }

  // From t on, what is clipped costs more than the best found: there is nothing left to find.
  bool clipping_costs_more(double t) const {
    const double step = 1 / t;
    for (std::size_t s = 0; s < sides_.size(); ++s) {
      double sum = 0;
      for (const Weighted& w : scratch_.weights) {
        const double over = std::max(0.0, w.magnitude - w.limit[s] * step);
        sum += w.h * over * over;
      }
      if (sum < best_.error) return false;
    }
    return true;
  }

  const Group& group_;
  std::span<Side> sides_;
  StoredScale stored_;
  Scratch& scratch_;
  Best& best_;
  int limit_ = 0;
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
    try_scale({s.hxq, s.hqq}, group.energy, flip, stored, best);
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
  // A negative scale mirrors the codes: x ~ -s k is x ~ s k' with k' in [-hi, -lo].
  const bool both = negative && hi != -lo;
  if (x.size() <= kPathWeights && std::max(hi, -lo) <= kPathCodes) {
    static thread_local Scratch scratch;
    std::array<Side, 2> sides = {Side{hi, -lo, false, {}}, Side{-lo, hi, true, {}}};
    Path(group, std::span(sides).first(both ? 2 : 1), stored, scratch, best).walk();
  } else {
    raster(group, lo, hi, false, stored, best);
    if (both) raster(group, -hi, -lo, true, stored, best);
  }
  if (error != nullptr) *error = best.error;
  return best.scale;
}

namespace {

constexpr int kZerosAside = 2;  // of the one that the extremes ask for

// About the least error with codes in [lo, hi]: the best of some scales around the one
// that just clips nothing.
double least_error_about(Floats x, Floats h, const Range& range, int lo, int hi) {
  const double need = std::max(range.hi / std::max(1e-9, static_cast<double>(hi)),
                               range.lo / std::min(-1e-9, static_cast<double>(lo)));
  double gain = 0;
  if (!(need > 0) || !std::isfinite(static_cast<float>(2 / need))) return 0;
  for (const double ratio : {1.3, 1.1, 1.0, 0.92, 0.84, 0.76, 0.66, 0.5}) {
    const AffineSums s = affine_sums(x, h, static_cast<float>(1 / (need * ratio)), 0.0f,
                                     static_cast<float>(lo), static_cast<float>(hi));
    if (s.hqq > 0) gain = std::max(gain, static_cast<double>(s.hxq) * s.hxq / s.hqq);
  }
  return -gain;  // beside sum h x^2, which all share
}

}  // namespace

ScaleZero fit_scale_zero(Floats x, Floats h, int lowest, int highest, int around,
                         StoredScale stored) {
  static thread_local std::vector<float> ones;
  if (h.empty()) {
    ones.resize(std::max(ones.size(), x.size()), 1.0f);
    h = Floats(ones).first(x.size());
  }
  const Range range = min_max(x);
  int best = around;
  double best_error = std::numeric_limits<double>::infinity();
  for (int z = std::max(lowest, around - kZerosAside); z <= std::min(highest, around + kZerosAside);
       ++z) {
    const double error = least_error_about(x, h, range, lowest - z, highest - z);
    if (error < best_error) {
      best_error = error;
      best = z;
    }
  }
  return {fit_scale(x, h, lowest - best, highest - best, false, stored), best};
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
