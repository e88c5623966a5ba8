// Weights that lie on a grid already: the parameters and codes that decode to them.
//
// The scale follows from one weight and its code, and of the largest weight there are only so many
// codes it may have: each is a way, and is tried. Under a way's scale all codes are known, and each
// weight says between which two numbers a scale must lie for the product to round to it. Of what they
// leave, the number with the fewest bits is taken: the scale there was, wherever it was stored in
// fewer bits than FP32's.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>

#include "grid/grid.h"
#include "kernel/range.h"

namespace zp {

/// A codec (grid_of.h) whose weights can be found on it; its blocks have no outer parameters.
///
///   int    ways()                      so many, of a unit
///   bool   take_way(Params&, u, i, w)  the parameters of way i; false: there is none
///   double level(const Params&, code)  what is multiplied by the scale; NaN: the value is no product
///   void   set_scale(Params&, u, s)    the nearest that is stored
template <class Codec>
concept Holding = requires(const Codec codec, typename Codec::Params& params, Floats w) {
  { codec.ways() } -> std::same_as<int>;
  { codec.take_way(params, std::int64_t{}, 0, w) } -> std::same_as<bool>;
  { codec.level(params, Code{}) } -> std::same_as<double>;
  { codec.set_scale(params, std::int64_t{}, 0.0) } -> std::same_as<void>;
};

/// Half the distances from w to its neighbours among numbers of so many significant bits, towards 0 and
/// away from it.
struct HalfSteps {
  double below = 0;
  double above = 0;
};
inline HalfSteps half_steps(float w, int significant) noexcept {
  if (w == 0) return {};
  int exponent = 0;
  const bool power = std::fabs(std::frexp(static_cast<double>(w), &exponent)) == 0.5;
  const double above = std::ldexp(1.0, exponent - 1 - significant);
  return {power ? above / 2 : above, above};
}

/// Whether `decoded` is w, rounded half to even to so many significant bits.
inline bool rounds_to(float decoded, float w, int significant) noexcept {
  if (decoded == w) return true;
  if (significant >= kExactBits || decoded == 0) return false;
  const double step = std::ldexp(1.0, std::ilogb(decoded) + 1 - significant);
  return std::nearbyint(decoded / step) * step == w;
}

/// The number with the fewest significant bits between two that are above 0, for at them a product may
/// round either way.
inline double fewest_bits(double least, double most) noexcept {
  const double middle = (least + most) / 2;
  for (int bits = 1; bits < kExactBits; ++bits) {
    const double step = std::ldexp(1.0, std::ilogb(middle) + 1 - bits);
    const double rounded = std::nearbyint(middle / step) * step;
    if (least < rounded && rounded < most) return rounded;
  }
  return middle;
}

/// take_way() for codecs whose values are a scale times the level of a code: as if the largest weight
/// had this one.
template <class Codec>
bool take_level(const Codec& codec, typename Codec::Params& params, std::int64_t u, Code code,
                Floats w) noexcept {
  const Range range = min_max(w);
  const double largest = range.hi > -range.lo ? range.hi : range.lo;
  const double level = codec.level(params, code);
  if (!std::isfinite(level) || level == 0 || largest / level < 0) return false;
  codec.set_scale(params, u, largest / level);
  return true;
}

/// Holds a unit: way by way.
template <Holding Codec>
class HeldUnit {
 public:
  using Params = typename Codec::Params;

  /// first: the unit's first column in its block. codes: as w.
  HeldUnit(const Codec& codec, std::int64_t u, std::int64_t first, Floats w,
           std::span<Code> codes) noexcept
      : codec_(codec), u_(u), first_(first), w_(w), codes_(codes) {}

  /// As Grid::hold().
  bool hold(Params& params, int significant) const noexcept {
    for (int i = 0; i < codec_.ways(); ++i) {
      if (!codec_.take_way(params, u_, i, w_)) continue;
      if (significant == kExactBits && gives_back(params, significant)) return true;
      if (narrow(params, significant) && gives_back(params, significant)) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kChunk = 16;

  // f(begin, count, decoded) on chunks that are encoded one after the other, until it says false.
  template <class F>
  bool each_chunk(const Params& params, const F& f) const noexcept {
    std::array<float, kChunk> decoded{};
    for (std::size_t i = 0; i < w_.size(); i += kChunk) {
      const std::size_t count = std::min(kChunk, w_.size() - i);
      codec_.encode(params, first_ + static_cast<std::int64_t>(i), w_.subspan(i, count),
                    codes_.subspan(i, count), std::span(decoded).first(count));
      if (!f(i, count, decoded)) return false;
    }
    return true;
  }

  bool gives_back(const Params& params, int significant) const noexcept {
    return each_chunk(params, [&](std::size_t begin, std::size_t count, const auto& decoded) {
      for (std::size_t i = 0; i < count; ++i) {
        if (!rounds_to(decoded[i], w_[begin + i], significant)) return false;
      }
      return true;
    });
  }

  // Sets the scale that the codes under the one of `params` leave room for; false: for none.
  bool narrow(Params& params, int significant) const noexcept {
    double least = 0;
    double most = std::numeric_limits<double>::infinity();
    double sign = 0;
    const auto leaves_room = [&](float w, double level) {
      if (level == 0) return w == 0;
      if (!std::isfinite(level)) return false;
      const double of_w = (w < 0) == (level < 0) ? 1 : -1;
      if (sign != 0 && sign != of_w) return false;
      sign = of_w;
      const double size = std::fabs(static_cast<double>(w));
      const HalfSteps half = half_steps(w, significant);
      least = std::max(least, (size - half.below) / std::fabs(level));
      most = std::min(most, (size + half.above) / std::fabs(level));
      return least <= most;
    };
    const bool room = each_chunk(params, [&](std::size_t begin, std::size_t count, const auto&) {
      for (std::size_t i = begin; i < begin + count; ++i) {
        if (!leaves_room(w_[i], codec_.level(params, codes_[i]))) return false;
      }
      return true;
    });
    if (!room || !(sign == 0 || least > 0)) return false;
    if (sign != 0) codec_.set_scale(params, u_, sign * fewest_bits(least, most));
    return true;
  }

  const Codec& codec_;
  std::int64_t u_;
  std::int64_t first_;
  Floats w_;
  std::span<Code> codes_;
};

}  // namespace zp
