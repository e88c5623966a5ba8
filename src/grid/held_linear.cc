#include "grid/held_linear.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernel/range.h"

namespace zp {
namespace {

constexpr int kCodesOfLeast = 4;  // that the smallest weight may have with Offset::min

int levels_of(const LinearForm& form) { return form.highest - form.lowest; }

// Scales below 0 last: they serve the one code that has no negative.
bool around(const LinearForm& form, int centre, int i, float largest, LinearParams& params) {
  const int above = form.highest - centre;
  const int below = centre - form.lowest;
  const int most = std::max(above, below);
  const bool flipped = i == most;
  const int k = flipped ? most : most - i;
  if (flipped && !form.negative) return false;
  if (k > ((largest > 0) != flipped ? above : below)) return false;
  const double scale = std::fabs(static_cast<double>(largest)) / k;
  params = {form.scale->nearest.round(flipped ? -scale : scale), 0, centre};
  return true;
}

bool with_zero(const LinearForm& form, int i, const Range& range, double largest,
               LinearParams& params) {
  const float scale = form.scale->nearest.round(std::fabs(largest) / (levels_of(form) - i));
  if (!(scale > 0)) return false;
  const double least = std::nearbyint(std::min(range.lo, 0.0f) / static_cast<double>(scale));
  const double most = std::nearbyint(std::max(range.hi, 0.0f) / static_cast<double>(scale));
  if (most - least > levels_of(form)) return false;
  // In the middle where that leaves room: there symmetric grids have it.
  const int middle = (form.lowest + form.highest + 1) / 2;
  params = {scale, 0,
            std::clamp(middle, form.lowest - static_cast<int>(least),
                       form.highest - static_cast<int>(most))};
  return true;
}

// The smallest weight's code: as a zero-point in the middle has it, under a scale above 0 or below; the
// lowest; the highest it may be.
bool with_min(const LinearForm& form, int i, const Range& range, LinearParams& params) {
  const int levels = levels_of(form);
  const int span = levels - i / kCodesOfLeast;
  const int which = i % kCodesOfLeast;
  const double size = form.scale->nearest.round((static_cast<double>(range.hi) - range.lo) / span);
  if (!(size > 0)) return false;
  const double scale = which == 1 ? -size : size;
  const int half = (levels + 1) / 2;
  const double middle = half + std::nearbyint(range.lo / scale);
  const std::array<double, kCodesOfLeast> codes = {middle, middle, 0,
                                                   static_cast<double>(levels - span)};
  const double code = codes[static_cast<std::size_t>(which)];
  const int least = scale > 0 ? 0 : span;
  if (code < least || code > least + levels - span) return false;
  const float stored = form.scale->nearest.round(scale);
  params = {stored, form.minimum->nearest.round(range.lo - scale * code), 0};
  return true;
}

}  // namespace

int linear_ways(const LinearForm& form) noexcept {
  const int levels = levels_of(form);
  if (form.offset == Offset::min) return kCodesOfLeast * levels;
  return form.offset == Offset::zero ? levels : (levels + 1) / 2 + 1;
}

Values linear_values(const LinearForm& form, int centre) {
  Values values;
  for (int q = form.lowest; q <= form.highest; ++q) values.levels.push_back(q - centre);
  values.offset = form.offset;
  values.negative = form.negative;
  values.scale = scale_range(*form.scale);
  if (form.offset == Offset::min && form.arithmetic != Arithmetic::fp32)
    values.arithmetic = values.scale.significant;
  return values;
}

bool take_linear_way(const LinearForm& form, int centre, int i, Floats w,
                     LinearParams& params) noexcept {
  const Range range = min_max(w);
  const float largest = range.hi > -range.lo ? range.hi : range.lo;
  const bool is_min = form.offset == Offset::min;
  if (is_min ? range.lo == range.hi : largest == 0) {
    const float offset = is_min ? form.minimum->nearest.round(range.lo) : 0.0f;
    params = {form.scale->nearest.round(0), offset, is_min ? 0 : centre};
    return i == 0;
  }
  if (is_min) return with_min(form, i, range, params);
  if (form.offset == Offset::zero) return with_zero(form, i, range, largest, params);
  return around(form, centre, i, largest, params);
}

}  // namespace zp
