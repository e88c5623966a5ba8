#include "number/convert.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "number/fp8.h"
#include "number/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "number/convert.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include "number/small_float-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

HWY_INLINE VI set_bits(std::uint32_t bits) { return bit_lanes(DF(), bits); }

// Loads and stores go through bytes: wider pointers would claim an alignment files don't have.
template <class D>
HWY_INLINE hn::Vec<D> load_bytes(D d, const std::byte* in) {
  const hn::Repartition<std::uint8_t, D> bytes;
  return hn::BitCast(d, hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(in)));
}

template <class D>
HWY_INLINE void store_bytes(D, hn::Vec<D> v, std::byte* out) {
  const hn::Repartition<std::uint8_t, D> bytes;
  hn::StoreU(hn::BitCast(bytes, v), bytes, reinterpret_cast<std::uint8_t*>(out));
}

// float_to_small of small_float.h, lane by lane.
template <const FloatFormat& F>
HWY_INLINE VI encode_lanes(VF value) {
  using S = SmallFloat<F>;
  const DF df;
  const DI di;
  const VI bits = hn::BitCast(di, value);
  const VI sign = hn::And(hn::ShiftRight<32 - F.bits>(bits), set_bits(S::kSign));
  const VI magnitude = hn::And(bits, set_bits(~kFp32Sign));
  const VI even = hn::And(hn::ShiftRight<S::kShift>(magnitude), set_bits(1));
  const VI half = set_bits(((1u << (S::kShift - 1)) - 1) - S::kRebias);
  VI code = hn::ShiftRight<S::kShift>(hn::Add(hn::Add(magnitude, half), even));
  if constexpr (!S::kSameRange) {
    const VI rounder = set_bits(S::kRounder);
    const VF rounded = hn::Add(hn::BitCast(df, magnitude), hn::BitCast(df, rounder));
    code = hn::IfThenElse(hn::Lt(magnitude, set_bits(S::kSmallestNormalFp32)),
                          hn::Sub(hn::BitCast(di, rounded), rounder), code);
  }
  code = hn::IfThenElse(hn::Gt(magnitude, set_bits(S::kOverflow - 1)), set_bits(S::kTop), code);
  VI nan = set_bits(S::kNan);
  if constexpr (F.has_infinity()) {
    const VI payload = hn::ShiftRight<S::kShift>(hn::Or(magnitude, set_bits(kFp32Quiet)));
    nan = hn::Or(nan, hn::And(payload, set_bits(static_cast<std::uint32_t>(F.fraction_mask()))));
  }
  code = hn::IfThenElse(hn::Gt(magnitude, set_bits(kFp32Infinity)), nan, code);
  return hn::Or(sign, code);
}

// Whole vectors, then the rest one by one; a machine without vectors has only the rest.
template <const FloatFormat& F>
HWY_INLINE void decode_run(const std::byte* in, float* HWY_RESTRICT out, std::size_t count) {
  using T = Stored<F>;
  std::size_t i = 0;
  if constexpr (HWY_TARGET != HWY_SCALAR) {
    const DF df;
    const hn::Rebind<T, DF> narrow;
    for (; i + hn::Lanes(df) <= count; i += hn::Lanes(df)) {
      const auto code = load_bytes(narrow, in + i * sizeof(T));
      hn::StoreU(widen_lanes<F>(df, code), df, out + i);
    }
  }
  for (; i < count; ++i) {
    T code;
    std::memcpy(&code, in + i * sizeof(T), sizeof(T));
    out[i] = small_to_float<F>(code);
  }
}

template <const FloatFormat& F>
HWY_INLINE void encode_run(const float* HWY_RESTRICT in, std::byte* out, std::size_t count) {
  using T = Stored<F>;
  std::size_t i = 0;
  if constexpr (HWY_TARGET != HWY_SCALAR) {
    const DF df;
    const hn::Rebind<T, DF> narrow;
    for (; i + hn::Lanes(df) <= count; i += hn::Lanes(df)) {
      const VI code = encode_lanes<F>(hn::LoadU(df, in + i));
      store_bytes(narrow, hn::DemoteTo(narrow, code), out + i * sizeof(T));
    }
  }
  for (; i < count; ++i) {
    const auto code = static_cast<T>(float_to_small<F>(in[i]));
    std::memcpy(out + i * sizeof(T), &code, sizeof(T));
  }
}

// HWY_EXPORT takes plain functions.
#define ZP_CONVERSION(NAME, FORMAT)                                        \
  void decode_##NAME(const std::byte* in, float* out, std::size_t count) { \
    decode_run<FORMAT>(in, out, count);                                    \
  }                                                                        \
  void encode_##NAME(const float* in, std::byte* out, std::size_t count) { \
    encode_run<FORMAT>(in, out, count);                                    \
  }
ZP_CONVERSION(fp16, kFp16)
ZP_CONVERSION(bf16, kBf16)
ZP_CONVERSION(fp8_e4m3, kFp8E4m3)
ZP_CONVERSION(fp8_e5m2, kFp8E5m2)
#undef ZP_CONVERSION

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace zp {

#define ZP_CONVERSION(NAME)                                                  \
  HWY_EXPORT(decode_##NAME);                                                 \
  HWY_EXPORT(encode_##NAME);                                                 \
  void NAME##_to_float(const std::byte* in, std::span<float> out) noexcept { \
    HWY_DYNAMIC_DISPATCH(decode_##NAME)(in, out.data(), out.size());         \
  }                                                                          \
  void float_to_##NAME(std::span<const float> in, std::byte* out) noexcept { \
    HWY_DYNAMIC_DISPATCH(encode_##NAME)(in.data(), out, in.size());          \
  }
ZP_CONVERSION(fp16)
ZP_CONVERSION(bf16)
ZP_CONVERSION(fp8_e4m3)
ZP_CONVERSION(fp8_e5m2)
#undef ZP_CONVERSION

void fp64_to_float(const std::byte* in, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    double value;
    std::memcpy(&value, in + i * sizeof(value), sizeof(value));
    out[i] = static_cast<float>(value);
  }
}

void float_to_fp64(std::span<const float> in, std::byte* out) noexcept {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double value = in[i];
    std::memcpy(out + i * sizeof(value), &value, sizeof(value));
  }
}

void fp4_e2m1_to_float(const std::byte* in, std::span<float> out) noexcept {
  constexpr auto values = [] {
    std::array<float, 16> all{};
    for (std::uint8_t code = 0; code < all.size(); ++code) all[code] = fp4_e2m1_to_float(code);
    return all;
  }();
  const std::size_t pairs = out.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto pair = static_cast<std::size_t>(in[i]);
    out[2 * i] = values[pair & 0xF];
    out[2 * i + 1] = values[pair >> 4];
  }
  if (out.size() % 2 != 0) out.back() = values[static_cast<std::size_t>(in[pairs]) & 0xF];
}

void float_to_fp4_e2m1(std::span<const float> in, std::byte* out) noexcept {
  for (std::size_t i = 0; i < in.size(); i += 2) {
    const std::uint8_t low = float_to_fp4_e2m1(in[i]);
    const std::uint8_t high = i + 1 < in.size() ? float_to_fp4_e2m1(in[i + 1]) : std::uint8_t{0};
    out[i / 2] = static_cast<std::byte>(low | (high << 4));
  }
}

void e8m0_to_float(const std::byte* in, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = e8m0_to_float(static_cast<std::uint8_t>(in[i]));
  }
}

void float_to_e8m0(std::span<const float> in, std::byte* out) noexcept {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = static_cast<std::byte>(float_to_e8m0(in[i]));
}

namespace {

void fp32_to_float(const std::byte* in, std::span<float> out) noexcept {
  if (!out.empty()) std::memcpy(out.data(), in, out.size_bytes());
}

void float_to_fp32(std::span<const float> in, std::byte* out) noexcept {
  if (!in.empty()) std::memcpy(out, in.data(), in.size_bytes());
}

constexpr std::array<Converter, kFloatFormats.size()> kConverters = {{
    {&kFp64, fp64_to_float, float_to_fp64},
    {&kFp32, fp32_to_float, float_to_fp32},
    {&kFp16, fp16_to_float, float_to_fp16},
    {&kBf16, bf16_to_float, float_to_bf16},
    {&kFp8E4m3, fp8_e4m3_to_float, float_to_fp8_e4m3},
    {&kFp8E5m2, fp8_e5m2_to_float, float_to_fp8_e5m2},
    {&kFp4E2m1, fp4_e2m1_to_float, float_to_fp4_e2m1},
    {&kE8m0, e8m0_to_float, float_to_e8m0},
}};

}  // namespace

const Converter& converter(const FloatFormat& format) {
  return *std::find_if(kConverters.begin(), kConverters.end(),
                       [&](const Converter& c) { return c.format == &format; });
}

}  // namespace zp

#endif  // HWY_ONCE
