// Parameters that cover the ranges of a row's groups, in vector code: what Affine::from_range
// (affine.cc) says of one group, in FP64 like there.
#include <algorithm>

#include "grid/linear_groups.h"
#include "kernel/range.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/linear_ranges.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "grid/linear_codes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kRun = 64;  // groups; a multiple of what a vector holds

using Wide = hn::ScalableTag<double>;
using Narrow = hn::Rebind<float, Wide>;
using Whole = hn::Rebind<std::int32_t, Wide>;
using VW = hn::Vec<Wide>;

HWY_INLINE VW wide(double v) { return hn::Set(Wide(), v); }

/// Some groups: their extremes, then what becomes of them.
struct Run {
  HWY_ALIGN float lo[kRun] = {}, hi[kRun] = {};
  HWY_ALIGN float scale[kRun], offset[kRun];
  HWY_ALIGN std::int32_t zero[kRun];
};

/// v as it is stored.
template <Arithmetic kType>
HWY_INLINE hn::Vec<Narrow> stored(const LinearForm& form, VW v) {
  const VW most = wide(form.scale->largest);
  const Narrow d;
  return rounded<kType>(d, hn::DemoteTo(d, hn::Min(hn::Max(v, hn::Neg(most)), most)));
}

template <Arithmetic kType>
HWY_INLINE void with_minimum(const LinearForm& form, Run& run, std::size_t i) {
  const VW lo = hn::PromoteTo(Wide(), hn::Load(Narrow(), run.lo + i));
  const VW hi = hn::PromoteTo(Wide(), hn::Load(Narrow(), run.hi + i));
  const VW scale = hn::Div(hn::Sub(hi, lo), wide(form.highest - form.lowest));
  hn::Store(stored<kType>(form, scale), Narrow(), run.scale + i);
  hn::Store(stored<kType>(form, lo), Narrow(), run.offset + i);
}

template <Arithmetic kType>
HWY_INLINE void with_zero(const LinearForm& form, Run& run, std::size_t i) {
  const VW none = hn::Zero(Wide());
  const VW lo = hn::Min(hn::PromoteTo(Wide(), hn::Load(Narrow(), run.lo + i)), none);
  const VW hi = hn::Max(hn::PromoteTo(Wide(), hn::Load(Narrow(), run.hi + i)), none);
  const VW lowest = wide(form.lowest);
  const VW highest = wide(form.highest);
  const auto scale = stored<kType>(form, hn::Div(hn::Sub(hi, lo), hn::Sub(highest, lowest)));
  hn::Store(scale, Narrow(), run.scale + i);
  const VW s = hn::PromoteTo(Wide(), scale);
  const VW z = hn::Round(hn::Sub(lowest, hn::Div(lo, s)));
  const VW held = hn::IfThenElse(hn::Gt(s, none), hn::Min(hn::Max(z, lowest), highest), lowest);
  hn::Store(hn::DemoteTo(Whole(), held), Whole(), run.zero + i);
}

template <Arithmetic kType>
HWY_INLINE void symmetric(const LinearForm& form, int centre, Run& run, std::size_t i) {
  const VW lo = hn::PromoteTo(Wide(), hn::Load(Narrow(), run.lo + i));
  const VW hi = hn::PromoteTo(Wide(), hn::Load(Narrow(), run.hi + i));
  const VW above = hn::Div(hi, wide(form.highest - centre));
  const VW below = hn::Div(lo, wide(form.lowest - centre));
  const VW scale = hn::Add(hn::Max(above, below), hn::Zero(Wide()));  // never -0
  hn::Store(stored<kType>(form, scale), Narrow(), run.scale + i);
}

template <Arithmetic kType>
void ranges(const LinearForm& form, int centre, Floats w, std::size_t group, LinearParams* params) {
  Run run;
  for (std::size_t begin = 0; begin < w.size();) {
    std::size_t count = 0;
    for (; count < kRun && begin < w.size(); ++count, begin += group) {
      const Range range = min_max(w.subspan(begin, std::min(group, w.size() - begin)));
      run.lo[count] = range.lo;
      run.hi[count] = range.hi;
    }
    std::fill_n(run.offset, kRun, 0.0f);
    std::fill_n(run.zero, kRun, form.offset == Offset::min ? 0 : centre);
    for (std::size_t i = 0; i < count; i += hn::Lanes(Wide())) {
      if (form.offset == Offset::min) {
        with_minimum<kType>(form, run, i);
      } else if (form.offset == Offset::zero) {
        with_zero<kType>(form, run, i);
      } else {
        symmetric<kType>(form, centre, run, i);
      }
    }
    for (std::size_t i = 0; i < count; ++i) *params++ = {run.scale[i], run.offset[i], run.zero[i]};
  }
}

void range_groups(const LinearForm& form, int centre, Floats w, std::size_t group,
                  LinearParams* params) {
  switch (form.arithmetic) {
    case Arithmetic::fp32:
      return ranges<Arithmetic::fp32>(form, centre, w, group, params);
    case Arithmetic::fp16:
      return ranges<Arithmetic::fp16>(form, centre, w, group, params);
    case Arithmetic::bf16:
      return ranges<Arithmetic::bf16>(form, centre, w, group, params);
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(range_groups);

void range_groups(const LinearForm& form, int centre, Floats w, std::size_t group,
                  LinearParams* params) noexcept {
  HWY_DYNAMIC_DISPATCH(range_groups)(form, centre, w, group, params);
}

}  // namespace zp
#endif
