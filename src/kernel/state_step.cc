#include "kernel/state_step.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/state_step.cc"
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
HWY_INLINE void step_columns(const StateToken& token, float* state, std::size_t column,
                             std::size_t last, float* out) {
  const D16 d;
  const std::size_t width = token.input.size();
  const V16 left = hn::Set(d, token.left);
  const V16 step = hn::Set(d, token.step);
  const auto count = [&](std::size_t v) { return v + 1 < N ? kVectorLanes : last; };
  const auto at = [&](std::size_t v) { return column + v * kVectorLanes; };
  V16 written[N];
  V16 sums[N];
  for (std::size_t v = 0; v < N; ++v) {
    written[v] = hn::Mul(load_first(token.input.data() + at(v), count(v)), step);
    sums[v] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < token.write.size(); ++i) {
    const V16 write = hn::Set(d, token.write[i]);
    const V16 read = hn::Set(d, token.read[i]);
    for (std::size_t v = 0; v < N; ++v) {
      float* const row = state + i * width + at(v);
      const V16 faded = hn::Mul(load_first(row, count(v)), left);
      const V16 now = fused(d, write, written[v], faded);
      store_first(now, row, count(v));
      sums[v] = fused(d, now, read, sums[v]);
    }
  }
  const V16 skip = hn::Set(d, token.skip);
  for (std::size_t v = 0; v < N; ++v) {
    const V16 input = load_first(token.input.data() + at(v), count(v));
    store_first(fused(d, skip, input, sums[v]), out + at(v), count(v));
  }
}

void state_step(const StateToken& token, float* state, float* out) {
  constexpr std::size_t kTogether = 4;
  const std::size_t width = token.input.size();
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

HWY_EXPORT(state_step);

void state_step(const StateToken& token, std::span<float> state, std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(state_step)(token, state.data(), out.data());
}

}  // namespace zp
#endif
