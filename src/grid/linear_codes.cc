#include "grid/linear_codes.h"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/linear_codes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "grid/linear_codes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What a machine's vectors could hold at most, of 32 bits.
constexpr std::size_t kMostLanes = 64;

using Tag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<Tag>;
using V = hn::Vec<Tag>;

/// f(from, to) on every vector of `count` numbers; what is no whole vector goes by way of copies.
template <class From, class To, class F>
HWY_INLINE void each_vector(const From* from, std::size_t count, To* to, const F& f) {
  const std::size_t lanes = hn::Lanes(Tag());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) f(from + i, to + i);
  if (i == count) return;
  From some[kMostLanes] = {};
  To made[kMostLanes];
  std::copy_n(from + i, count - i, some);
  f(some, made);
  std::copy_n(made, count - i, to + i);
}

/// f(begin, count, params, lanes) on every group of a row of `size` weights.
template <class F>
HWY_INLINE void each_group(const LinearForm& form, std::size_t size, std::size_t group,
                           const LinearParams* params, const F& f) {
  with_arithmetic(form, [&](auto offset, auto type) {
    const Tag d;
    for (std::size_t begin = 0; begin < size; begin += group, ++params) {
      const LinearLanes<Tag, offset(), type()> lanes(
          hn::Set(d, params->scale), hn::Set(d, params->offset),
          hn::Set(d, static_cast<float>(form.lowest - params->zero)),
          hn::Set(d, static_cast<float>(form.highest - params->zero)));
      f(begin, std::min(group, size - begin), *params, lanes);
    }
  });
}

void nearest_codes(const LinearForm& form, Floats w, std::size_t group, const LinearParams* params,
                   Code* codes) {
  each_group(form, w.size(), group, params,
             [&](std::size_t begin, std::size_t count, const LinearParams& p, const auto& lanes) {
               const auto zero = hn::Set(IntTag(), p.zero);
               each_vector(w.data() + begin, count, codes + begin, [&](const float* x, Code* to) {
                 const auto k = hn::ConvertTo(IntTag(), lanes.nearest(hn::LoadU(Tag(), x)).k);
                 hn::StoreU(hn::Add(k, zero), IntTag(), to);
               });
             });
}

void decode_codes(const LinearForm& form, std::span<const Code> codes, std::size_t group,
                  const LinearParams* params, float* out) {
  each_group(form, codes.size(), group, params,
             [&](std::size_t begin, std::size_t count, const LinearParams& p, const auto& lanes) {
               const auto zero = hn::Set(IntTag(), p.zero);
               each_vector(codes.data() + begin, count, out + begin, [&](const Code* q, float* to) {
                 const auto k = hn::Sub(hn::LoadU(IntTag(), q), zero);
                 hn::StoreU(lanes.value(hn::ConvertTo(Tag(), k)), Tag(), to);
               });
             });
}

void nearest_codes_of_column(const LinearForm& form, Floats w, const LinearParams* params,
                             Code* codes, float* decoded) {
  with_arithmetic(form, [&](auto offset, auto type) {
    const Tag d;
    const IntTag di;
    const std::size_t lanes = hn::Lanes(d);
    for (std::size_t r = 0; r < w.size(); r += lanes) {
      const std::size_t rows = std::min(lanes, w.size() - r);
      HWY_ALIGN float x[kMostLanes] = {}, s[kMostLanes] = {}, m[kMostLanes] = {};
      HWY_ALIGN Code zero[kMostLanes] = {}, code[kMostLanes];
      for (std::size_t i = 0; i < rows; ++i) {
        x[i] = w[r + i];
        s[i] = params[r + i].scale;
        m[i] = params[r + i].offset;
        zero[i] = params[r + i].zero;
      }
      const auto z = hn::Load(di, zero);
      const auto limit = [&](int q) { return hn::ConvertTo(d, hn::Sub(hn::Set(di, q), z)); };
      const LinearLanes<Tag, offset(), type()> all(hn::Load(d, s), hn::Load(d, m),
                                                   limit(form.lowest), limit(form.highest));
      const auto coded = all.nearest(hn::Load(d, x));
      hn::Store(hn::Add(hn::ConvertTo(di, coded.k), z), di, code);
      hn::Store(coded.value, d, x);
      std::copy_n(code, rows, codes + r);
      std::copy_n(x, rows, decoded + r);
    }
  });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(nearest_codes);
HWY_EXPORT(nearest_codes_of_column);
HWY_EXPORT(decode_codes);

void nearest_codes(const LinearForm& form, Floats w, std::size_t group, const LinearParams* params,
                   Code* codes) noexcept {
  HWY_DYNAMIC_DISPATCH(nearest_codes)(form, w, group, params, codes);
}

void nearest_codes_of_column(const LinearForm& form, Floats w, const LinearParams* params,
                             Code* codes, float* decoded) noexcept {
  HWY_DYNAMIC_DISPATCH(nearest_codes_of_column)(form, w, params, codes, decoded);
}

void decode_codes(const LinearForm& form, std::span<const Code> codes, std::size_t group,
                  const LinearParams* params, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(decode_codes)(form, codes, group, params, out);
}

}  // namespace zp
#endif
