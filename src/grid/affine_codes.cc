#include "grid/affine_codes.h"

#include "number/integer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/affine_codes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Clamped before it is rounded, so that what is converted is always small: as nearest_int() does.
void nearest_codes(Floats w, float scale, std::int32_t lowest, std::int32_t highest,
                   std::int32_t zero, std::span<std::int32_t> codes) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::size_t lanes = hn::Lanes(d);
  const auto lo = hn::Set(d, static_cast<float>(lowest));
  const auto hi = hn::Set(d, static_cast<float>(highest));
  const auto divisor = hn::Set(d, scale);
  const auto shift = hn::Set(di, zero);
  std::size_t i = 0;
  for (; i + lanes <= w.size(); i += lanes) {
    const auto k = hn::Div(hn::LoadU(d, w.data() + i), divisor);
    const auto q = hn::NearestInt(hn::Min(hn::Max(k, lo), hi));
    hn::StoreU(hn::Add(q, shift), di, codes.data() + i);
  }
  for (; i < w.size(); ++i) codes[i] = nearest_int(w[i] / scale, lowest, highest) + zero;
}

void scaled_codes(std::span<const std::int32_t> codes, float scale, std::int32_t zero,
                  std::span<float> out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  const auto shift = hn::Set(di, zero);
  std::size_t i = 0;
  for (; i + lanes <= codes.size(); i += lanes) {
    const auto q = hn::Sub(hn::LoadU(di, codes.data() + i), shift);
    hn::StoreU(hn::Mul(factor, hn::ConvertTo(d, q)), d, out.data() + i);
  }
  for (; i < codes.size(); ++i) out[i] = scale * static_cast<float>(codes[i] - zero);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(nearest_codes);
HWY_EXPORT(scaled_codes);

void nearest_codes(Floats w, float scale, std::int32_t lowest, std::int32_t highest,
                   std::int32_t zero, std::span<std::int32_t> codes) noexcept {
  if (scale == 0) {
    for (std::int32_t& code : codes) code = zero;
    return;
  }
  HWY_DYNAMIC_DISPATCH(nearest_codes)(w, scale, lowest, highest, zero, codes);
}

void scaled_codes(std::span<const std::int32_t> codes, float scale, std::int32_t zero,
                  std::span<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(scaled_codes)(codes, scale, zero, out);
}

}  // namespace zp
#endif
