#include "kernel/delta_rule.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/delta_rule.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/fused-inl.h"
#include "kernel/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// N vectors of columns from `column` on, the last one with `last` columns.
template <std::size_t N>
HWY_INLINE void step_columns(const DeltaToken& token, float* state, std::size_t column,
                             std::size_t last, float* out) {
  const D16 d;
  const std::size_t width = token.value.size();
  const V16 decay = hn::Set(d, token.decay);
  const V16 beta = hn::Set(d, token.beta);
  const auto count = [&](std::size_t v) { return v + 1 < N ? kVectorLanes : last; };
  const auto at = [&](std::size_t v) { return column + v * kVectorLanes; };
  V16 sums[N];
  for (V16& sum : sums) sum = hn::Zero(d);
  for (std::size_t i = 0; i < token.key.size(); ++i) {
    const V16 key = hn::Set(d, token.key[i]);
    for (std::size_t v = 0; v < N; ++v) {
      const V16 faded = hn::Mul(load_first(state + i * width + at(v), count(v)), decay);
      sums[v] = fused(d, faded, key, sums[v]);
    }
  }
  V16 moved[N];
  for (std::size_t v = 0; v < N; ++v) {
    const V16 value = load_first(token.value.data() + at(v), count(v));
    moved[v] = hn::Mul(hn::Sub(value, sums[v]), beta);
    sums[v] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < token.key.size(); ++i) {
    const V16 key = hn::Set(d, token.key[i]);
    const V16 query = hn::Set(d, token.query[i]);
    for (std::size_t v = 0; v < N; ++v) {
      float* const row = state + i * width + at(v);
      const V16 faded = hn::Mul(load_first(row, count(v)), decay);
      const V16 now = fused(d, key, moved[v], faded);
      store_first(now, row, count(v));
      sums[v] = fused(d, now, query, sums[v]);
    }
  }
  for (std::size_t v = 0; v < N; ++v) store_first(sums[v], out + at(v), count(v));
}

void delta_step(const DeltaToken& token, float* state, float* out) {
  constexpr std::size_t kTogether = 4;
  const std::size_t width = token.value.size();
  std::size_t column = 0;
  for (; column + kTogether * kVectorLanes <= width; column += kTogether * kVectorLanes)
    step_columns<kTogether>(token, state, column, kVectorLanes, out);
  for (; column < width; column += kVectorLanes)
    step_columns<1>(token, state, column, width - column, out);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(delta_step);

void delta_step(const DeltaToken& token, std::span<float> state, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(delta_step)(token, state.data(), out.data());
}

}  // namespace zp
#endif
