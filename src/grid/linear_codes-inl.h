// What linear_codes.h says, on one vector: each lane has its scale, offset and limits.
//
// Included once for each instruction set, after hwy/foreach_target.h.
#include "grid/linear_codes.h"
#include "kernel/half-inl.h"

#if defined(ZP_GRID_LINEAR_CODES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ZP_GRID_LINEAR_CODES_INL_H_
#undef ZP_GRID_LINEAR_CODES_INL_H_
#else
#define ZP_GRID_LINEAR_CODES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// v as it is in a type.
template <Arithmetic kType, class D>
HWY_INLINE hn::Vec<D> rounded(D d, hn::Vec<D> v) {
  if constexpr (kType == Arithmetic::fp16) return nearest_fp16(d, v);
  if constexpr (kType == Arithmetic::bf16) return nearest_bf16(d, v);
  return v;
}

template <class D, bool kOffset, Arithmetic kType>
class LinearLanes {
  using V = hn::Vec<D>;

 public:
  /// lo, hi: of k.
  HWY_INLINE LinearLanes(V s, V m, V lo, V hi)
      : s_(s),
        m_(m),
        lo_(lo),
        hi_(hi),
        divisor_(hn::IfThenElse(hn::Ne(s, hn::Zero(d_)), s, hn::Inf(d_))) {}

  HWY_INLINE V value(V k) const {
    const V product = hn::Mul(s_, k);
    if constexpr (!kOffset) return product;
    return rounded<kType>(d_, hn::Add(rounded<kType>(d_, product), m_));
  }

  struct Coded {
    V k;
    V value;
  };

  HWY_INLINE Coded nearest(V x) const {
    const V exact = hn::Div(kOffset ? hn::Sub(x, m_) : x, divisor_);
    // Clamped before it is rounded, so that what is converted is always small.
    const V nearest = hn::Add(hn::Round(hn::Min(hn::Max(exact, lo_), hi_)), hn::Zero(d_));  // no -0
    Coded best{nearest, value(nearest)};
    if constexpr (kOffset && kType != Arithmetic::fp32) {
      for (const float step : {-1.0f, 1.0f}) {
        const V k = hn::Add(nearest, hn::Set(d_, step));
        const V its = value(k);
        const auto there = hn::And(hn::Ge(k, lo_), hn::Le(k, hi_));
        const auto nearer = hn::Lt(hn::Abs(hn::Sub(x, its)), hn::Abs(hn::Sub(x, best.value)));
        best.k = hn::IfThenElse(hn::And(there, nearer), k, best.k);
        best.value = hn::IfThenElse(hn::And(there, nearer), its, best.value);
      }
    }
    return best;
  }

 private:
  static constexpr D d_{};
  V s_, m_, lo_, hi_, divisor_;
};

/// run(kOffset, kType) as types, for what a form has.
template <class Run>
HWY_INLINE void with_arithmetic(const LinearForm& form, const Run& run) {
  const std::true_type with_offset;
  if (form.offset != Offset::min) {
    run(std::false_type(), std::integral_constant<Arithmetic, Arithmetic::fp32>());
  } else if (form.arithmetic == Arithmetic::fp32) {
    run(with_offset, std::integral_constant<Arithmetic, Arithmetic::fp32>());
  } else if (form.arithmetic == Arithmetic::fp16) {
    run(with_offset, std::integral_constant<Arithmetic, Arithmetic::fp16>());
  } else {
    run(with_offset, std::integral_constant<Arithmetic, Arithmetic::bf16>());
  }
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
