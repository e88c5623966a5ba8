#include "grid/affine_search.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/affine_search.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "grid/linear_codes-inl.h"
#include "kernel/whole-inl.h"

#ifndef ZP_GRID_AFFINE_SEARCH_ONCE
#define ZP_GRID_AFFINE_SEARCH_ONCE
namespace zp {
namespace {

// Codes by which the range is wider than the one there is.
constexpr std::array kGuesses = {-0.6f, -0.2f, 0.2f, 0.6f, 1.0f,  1.5f,
                                 2.1f,  2.9f,  4.0f, 6.0f, 10.0f, 20.0f};
// With many codes nothing is won by clipping much, and something by looking closely: the error is
// as good as random from one scale to the next, and too small for a difference of sums.
constexpr float kManyCodes = 20;
std::array<float, 64> many_guesses() {
  std::array<float, 64> guesses;
  for (int i = 0; i < 64; ++i)
    guesses[static_cast<std::size_t>(i)] = 0.125f * static_cast<float>(i) - 4;
  return guesses;
}
constexpr std::array kGlances = {-0.2f, 0.3f, 0.8f, 1.4f, 2.2f, 4.0f};
constexpr std::array kLineGuesses = {-0.6f, -0.3f, 0.0f, 0.2f, 0.4f, 0.6f, 0.8f, 1.0f,  1.25f, 1.5f,
                                     1.8f,  2.2f,  2.7f, 3.2f, 4.0f, 5.0f, 7.0f, 10.0f, 20.0f};
constexpr std::array kShares = {0.0f, 0.25f, 0.5f, 0.75f, 1.0f};  // of a cut, at the lower end
constexpr std::array kAside = {-0.14f, -0.07f, 0.07f, 0.14f};
constexpr std::array kLineAside = {-0.4f, -0.2f, -0.1f, 0.1f, 0.2f, 0.4f};
constexpr int kRounds = 2;
constexpr int kLineRounds = 4;

}  // namespace
}  // namespace zp
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, kTileGroups>;
using V = hn::Vec<Tag>;

/// What codes chosen with s and m leave over, and what least squares then makes of them.
struct Fitted {
  V error;
  V scale;
  V offset;
};

/// 1 / s; 0 where s isn't positive, or its inverse beyond FP32.
HWY_INLINE V inverse_of(V s) {
  const Tag d;
  const V inverse = hn::Div(hn::Set(d, 1.0f), s);
  const auto sound = hn::And(hn::Gt(s, hn::Zero(d)), hn::Le(inverse, hn::Set(d, 3.0e38f)));
  return hn::IfThenElseZero(sound, inverse);
}

/// The groups of one vector; with kLine weights and offsets count from a group's lowest weight.
template <bool kWeighted, bool kLine>
class Lanes {
 public:
  Lanes(const GroupTile& tile, std::size_t at) : tile_(tile), at_(at) {
    const V power = hn::Load(d_, tile.power.at + at);
    lo_ = hi_ = hn::Mul(hn::Load(d_, tile.x[0].at + at), power);
    for (std::int64_t i = 0; i < tile.count; ++i) {
      const V x = hn::Mul(hn::Load(d_, tile.x[i].at + at), power);
      lo_ = hn::Min(lo_, x);
      hi_ = hn::Max(hi_, x);
      hn::Store(x, d_, x_[i].at);
    }
    weight_ = sum_ = energy_ = hn::Zero(d_);
    for (std::int64_t i = 0; i < tile.count; ++i) {
      V x = hn::Load(d_, x_[i].at);
      if (kLine) hn::Store(x = hn::Sub(x, lo_), d_, x_[i].at);
      const V hx = kWeighted ? hn::Mul(h(i), x) : x;
      weight_ = hn::Add(weight_, h(i));
      sum_ = hn::Add(sum_, hx);
      energy_ = fused(d_, hx, x, energy_);
    }
  }

  V lowest() const { return lo_; }
  V highest() const { return hi_; }
  /// The error of a scale of 0, and of an offset of 0.
  V energy() const { return energy_; }

  /// Of two sums, so that no error is far below them: for few codes.
  Fitted guessed(V s, V m, V lo, V hi) const {
    const V inverse = inverse_of(s);
    const Sums sums = summed([&](std::int64_t i, Sums& to) {
      const V x = hn::Load(d_, x_[i].at);
      const V q = nearest_whole(d_, kLine ? hn::Sub(x, m) : x, inverse, lo, hi);
      const V hq = kWeighted ? hn::Mul(h(i), q) : q;
      to.xq = fused(d_, hq, x, to.xq);
      to.qq = fused(d_, hq, q, to.qq);
      if (kLine) to.q = hn::Add(to.q, hq);
    });
    const auto [scale, offset] = least_squares(sums, sum_);
    V error = fused(d_, hn::Neg(sums.xq), scale, energy_);
    if (kLine) error = fused(d_, hn::Neg(sum_), offset, error);
    return {error, scale, offset};
  }

  /// Of what the guess leaves over.
  Fitted fitted(V s, V m, V lo, V hi) const {
    const V inverse = inverse_of(s);
    const V minus = hn::Neg(s);
    const Sums sums = summed([&](std::int64_t i, Sums& to) {
      V x = hn::Load(d_, x_[i].at);
      if (kLine) x = hn::Sub(x, m);
      const V q = nearest_whole(d_, x, inverse, lo, hi);
      const V r = fused(d_, minus, q, x);
      const V hr = kWeighted ? hn::Mul(h(i), r) : r;
      const V hq = kWeighted ? hn::Mul(h(i), q) : q;
      to.xx = fused(d_, hr, r, to.xx);
      to.xq = fused(d_, hr, q, to.xq);
      to.qq = fused(d_, hq, q, to.qq);
      if (!kLine) return;
      to.q = hn::Add(to.q, hq);
      to.x = hn::Add(to.x, hr);
    });
    const auto [ds, dm] = least_squares(sums, sums.x);
    V error = hn::Sub(sums.xx, hn::Mul(sums.xq, ds));
    if (kLine) error = hn::Sub(error, hn::Mul(sums.x, dm));
    return {error, hn::Add(s, ds), hn::Add(m, dm)};
  }

 private:
  /// Each times the importance h.
  struct Sums {
    V xx, xq, qq, q, x;
  };
  struct Line {
    V scale;
    V offset;
  };

  /// add(i, sums) for every weight.
  template <class Add>
  HWY_INLINE Sums summed(const Add& add) const {
    const V zero = hn::Zero(d_);
    Sums sums{zero, zero, zero, zero, zero};
    for (std::int64_t i = 0; i < tile_.count; ++i) add(i, sums);
    return sums;
  }

  V h(std::int64_t i) const {
    return kWeighted ? hn::Load(d_, tile_.h[i].at + at_) : hn::Set(d_, 1.0f);
  }

  /// x: the sum of what is left of the weights.
  Line least_squares(const Sums& s, V x) const {
    const V zero = hn::Zero(d_);
    if (!kLine) return {hn::IfThenElseZero(hn::Gt(s.qq, zero), hn::Div(s.xq, s.qq)), zero};
    const V det = hn::Sub(hn::Mul(weight_, s.qq), hn::Mul(s.q, s.q));
    const auto solvable = hn::Gt(det, hn::Mul(hn::Mul(weight_, s.qq), hn::Set(d_, 1e-5f)));
    const V alone = hn::IfThenElseZero(hn::Gt(weight_, zero), hn::Div(x, weight_));
    const V scale = hn::Div(hn::Sub(hn::Mul(weight_, s.xq), hn::Mul(s.q, x)), det);
    const V offset = hn::Div(hn::Sub(hn::Mul(s.qq, x), hn::Mul(s.q, s.xq)), det);
    return {hn::IfThenElseZero(solvable, scale), hn::IfThenElse(solvable, offset, alone)};
  }

  static constexpr Tag d_{};
  const GroupTile& tile_;
  std::size_t at_;
  PerGroup x_[kTileWeights];
  V lo_;
  V hi_;
  V weight_;
  V sum_;
  V energy_;
};

/// Keeps the better fit.
HWY_INLINE void keep(const Fitted& f, Fitted& best) {
  const Tag d;
  const auto better = hn::And(hn::Lt(f.error, best.error), hn::Gt(f.scale, hn::Zero(d)));
  best.error = hn::IfThenElse(better, f.error, best.error);
  best.scale = hn::IfThenElse(better, f.scale, best.scale);
  best.offset = hn::IfThenElse(better, f.offset, best.offset);
}

struct Effort {
  Floats guesses;
  bool few_codes;
  bool improves;  ///< the best of them
};

/// s > 0, codes in [lo, hi].
template <bool kWeighted>
Fitted best_scale(const Lanes<kWeighted, false>& lanes, V lo, V hi, const Effort& effort) {
  const Tag d;
  const V zero = hn::Zero(d);
  // The scale that just clips nothing, times the largest code.
  const V most = hn::Max(hi, hn::Neg(lo));
  const V above = hn::IfThenElseZero(hn::Gt(hi, zero), hn::Div(lanes.highest(), hi));
  const V below = hn::IfThenElseZero(hn::Lt(lo, zero), hn::Div(lanes.lowest(), lo));
  const V range = hn::Mul(hn::Max(hn::Max(above, below), zero), most);
  Fitted best{lanes.energy(), zero, zero};
  const auto guess = [&](V wider) {
    const V s = hn::Div(range, hn::Add(most, wider));
    keep(effort.few_codes ? lanes.guessed(s, zero, lo, hi) : lanes.fitted(s, zero, lo, hi), best);
  };
  for (const float c : effort.guesses) guess(hn::Set(d, c));
  if (!effort.improves) return best;
  const auto improve = [&] {
    for (int i = 0; i < kRounds; ++i) keep(lanes.fitted(best.scale, zero, lo, hi), best);
  };
  improve();
  const V centre =
      hn::IfThenElseZero(hn::Gt(best.scale, zero), hn::Sub(hn::Div(range, best.scale), most));
  for (const float c : kAside) guess(hn::Add(centre, hn::Set(d, c)));
  improve();
  return best;
}

/// For each vector of groups: f(lane the vector begins at).
template <class F>
void each_vector(const GroupTile& tile, const F& f) {
  for (std::size_t at = 0; at < tile.groups; at += hn::Lanes(Tag())) f(at);
}

template <bool kWeighted>
void search_scale_of(const GroupTile& tile, const CodeRange& codes, const Effort& effort,
                     bool negative, PerGroup& scale, PerGroup& error) {
  const Tag d;
  each_vector(tile, [&](std::size_t at) {
    const Lanes<kWeighted, false> lanes(tile, at);
    const V lo = hn::Load(d, codes.lo.at + at);
    const V hi = hn::Load(d, codes.hi.at + at);
    Fitted best = best_scale(lanes, lo, hi, effort);
    if (negative) {  // x ~ -s k is x ~ s k' with k' in [-hi, -lo]
      const Fitted other = best_scale(lanes, hn::Neg(hi), hn::Neg(lo), effort);
      const auto better = hn::Lt(other.error, best.error);
      best.scale = hn::IfThenElse(better, hn::Neg(other.scale), best.scale);
      best.error = hn::IfThenElse(better, other.error, best.error);
    }
    const V power = hn::Load(d, tile.power.at + at);
    hn::Store(hn::Div(best.scale, power), d, scale.at + at);
    hn::Store(best.error, d, error.at + at);
  });
}

/// Every group has the same number.
bool few_codes(const CodeRange& codes) { return codes.hi.at[0] - codes.lo.at[0] <= kManyCodes; }

void search_scale(const GroupTile& tile, const CodeRange& codes, bool negative, PerGroup& scale,
                  PerGroup& error) {
  const auto search = tile.weighted ? search_scale_of<true> : search_scale_of<false>;
  const auto many = many_guesses();
  const bool few = few_codes(codes);
  search(tile, codes, {few ? Floats(kGuesses) : Floats(many), few, true}, negative, scale, error);
}

void glance_at_scale(const GroupTile& tile, const CodeRange& codes, PerGroup& error) {
  const auto search = tile.weighted ? search_scale_of<true> : search_scale_of<false>;
  PerGroup scale;
  search(tile, codes, {kGlances, few_codes(codes), false}, false, scale, error);
}

template <bool kWeighted>
void search_line_of(const GroupTile& tile, float levels, PerGroup& scale, PerGroup& offset) {
  const Tag d;
  each_vector(tile, [&](std::size_t at) {
    const Lanes<kWeighted, true> lanes(tile, at);
    const V zero = hn::Zero(d);
    const V top = hn::Set(d, levels);
    const V width = hn::Sub(lanes.highest(), lanes.lowest());
    const auto look = [&](V s, V from) {
      return levels <= kManyCodes ? lanes.guessed(s, from, zero, top)
                                  : lanes.fitted(s, from, zero, top);
    };
    Fitted best = lanes.fitted(zero, zero, zero, top);  // one value for all
    for (const float c : kLineGuesses) {
      const V s = hn::Div(width, hn::Set(d, levels + c));
      const V cut = hn::Mul(s, hn::Set(d, c));
      for (const float share : kShares) keep(look(s, hn::Mul(cut, hn::Set(d, share))), best);
    }
    const auto improve = [&](int rounds) {
      for (int i = 0; i < rounds; ++i) keep(lanes.fitted(best.scale, best.offset, zero, top), best);
    };
    improve(kLineRounds);
    const Fitted centre = best;
    for (const float c : kLineAside) {
      const V s = hn::Div(hn::Mul(centre.scale, top), hn::Add(top, hn::Set(d, c)));
      const V shift = hn::Mul(hn::Sub(centre.scale, s), top);  // of the highest value
      for (const float share : kShares) {
        const V from = hn::Add(centre.offset, hn::Mul(shift, hn::Set(d, share)));
        keep(look(s, from), best);
      }
    }
    improve(kRounds);
    const V power = hn::Load(d, tile.power.at + at);
    hn::Store(hn::Div(best.scale, power), d, scale.at + at);
    hn::Store(hn::Div(hn::Add(best.offset, lanes.lowest()), power), d, offset.at + at);
  });
}

void search_line(const GroupTile& tile, float levels, PerGroup& scale, PerGroup& offset) {
  const auto search = tile.weighted ? search_line_of<true> : search_line_of<false>;
  search(tile, levels, scale, offset);
}

void stored_errors(const GroupTile& tile, const LinearForm& form, const CodeRange& codes,
                   const PerGroup& scale, const PerGroup& offset, PerGroup& error) {
  const Tag d;
  with_arithmetic(form, [&](auto has_offset, auto type) {
    each_vector(tile, [&](std::size_t at) {
      const auto load = [&](const PerGroup& v) { return hn::Load(d, v.at + at); };
      const LinearLanes<Tag, has_offset(), type()> lanes(load(scale), load(offset), load(codes.lo),
                                                         load(codes.hi));
      const V power = load(tile.power);
      V sum = hn::Zero(d);
      for (std::int64_t i = 0; i < tile.count; ++i) {
        const V x = load(tile.x[i]);
        const V e = hn::Mul(hn::Sub(x, lanes.nearest(x).value), power);
        const V h = tile.weighted ? load(tile.h[i]) : hn::Set(d, 1.0f);
        sum = hn::Add(sum, hn::Mul(hn::Mul(h, e), e));
      }
      hn::Store(sum, d, error.at + at);
    });
  });
}

void refit_offset(const GroupTile& tile, float levels, const PerGroup& scale, PerGroup& offset) {
  const Tag d;
  each_vector(tile, [&](std::size_t at) {
    const V s = hn::Load(d, scale.at + at);
    const V m = hn::Load(d, offset.at + at);
    const V inverse = inverse_of(s);
    V weight = hn::Zero(d);
    V left = hn::Zero(d);
    for (std::int64_t i = 0; i < tile.count; ++i) {
      const V x = hn::Sub(hn::Load(d, tile.x[i].at + at), m);
      const V h = tile.weighted ? hn::Load(d, tile.h[i].at + at) : hn::Set(d, 1.0f);
      const V q = nearest_whole(d, x, inverse, hn::Zero(d), hn::Set(d, levels));
      weight = hn::Add(weight, h);
      left = fused(d, h, fused(d, hn::Neg(s), q, x), left);
    }
    const V step = hn::IfThenElseZero(hn::Gt(weight, hn::Zero(d)), hn::Div(left, weight));
    hn::Store(hn::Add(m, step), d, offset.at + at);
  });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(search_scale);
HWY_EXPORT(glance_at_scale);
HWY_EXPORT(search_line);
HWY_EXPORT(refit_offset);
HWY_EXPORT(stored_errors);

void search_scale(const GroupTile& tile, const CodeRange& codes, bool negative, PerGroup& scale,
                  PerGroup& error) noexcept {
  HWY_DYNAMIC_DISPATCH(search_scale)(tile, codes, negative, scale, error);
}
void glance_at_scale(const GroupTile& tile, const CodeRange& codes, PerGroup& error) noexcept {
  HWY_DYNAMIC_DISPATCH(glance_at_scale)(tile, codes, error);
}
void search_line(const GroupTile& tile, float levels, PerGroup& scale, PerGroup& offset) noexcept {
  HWY_DYNAMIC_DISPATCH(search_line)(tile, levels, scale, offset);
}
void refit_offset(const GroupTile& tile, float levels, const PerGroup& scale,
                  PerGroup& offset) noexcept {
  HWY_DYNAMIC_DISPATCH(refit_offset)(tile, levels, scale, offset);
}
void stored_errors(const GroupTile& tile, const LinearForm& form, const CodeRange& codes,
                   const PerGroup& scale, const PerGroup& offset, PerGroup& error) noexcept {
  HWY_DYNAMIC_DISPATCH(stored_errors)(tile, form, codes, scale, offset, error);
}

}  // namespace zp
#endif
