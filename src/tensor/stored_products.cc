#include "tensor/stored_products.h"

#include "kernel/matmul.h"
#include "number/convert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/stored_products.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After foreach_target.h.
#include "kernel/packed_row-inl.h"
#include "number/small_float-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Sixteen values of a type whose vectors `to_float` turns into FP32.
template <class T, class Derived>
struct FloatBlock {
  static constexpr std::size_t kWeights = kLanes;
  static constexpr std::size_t kBytes = kLanes * sizeof(T);

  template <class F>
  static HWY_INLINE void each_sixteen(const std::byte* in, const F& f) {
    const hn::Rebind<T, D16> d;
    const hn::Repartition<std::uint8_t, decltype(d)> bytes;
    V16 v[kVectors];
    for (std::size_t i = 0; i < kVectors; ++i) {
      const auto* from = reinterpret_cast<const std::uint8_t*>(in) + i * kVectorLanes * sizeof(T);
      v[i] = Derived::to_float(hn::BitCast(d, hn::LoadU(bytes, from)));
    }
    f(0, v);
  }
};

struct Fp32Block : FloatBlock<float, Fp32Block> {
  static HWY_INLINE V16 to_float(V16 v) { return v; }
};

struct Fp16Block : FloatBlock<std::uint16_t, Fp16Block> {
  template <class V>
  static HWY_INLINE V16 to_float(V bits) {
    return widen_lanes<kFp16>(D16(), bits);
  }
};

// The upper half of an FP32; which NaN a NaN is, isn't said.
struct Bf16Block : FloatBlock<std::uint16_t, Bf16Block> {
  template <class V>
  static HWY_INLINE V16 to_float(V bits) {
    const hn::RebindToUnsigned<D16> wide;
    return hn::BitCast(D16(), hn::ShiftLeft<16>(hn::PromoteTo(wide, bits)));
  }
};

void fp32(const std::byte* in, Floats x, std::span<float> out) {
  packed_row<Fp32Block>(x, in, out);
}
void fp16(const std::byte* in, Floats x, std::span<float> out) {
  packed_row<Fp16Block>(x, in, out);
}
void bf16(const std::byte* in, Floats x, std::span<float> out) {
  packed_row<Bf16Block>(x, in, out);
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {
namespace {

HWY_EXPORT(fp32);
HWY_EXPORT(fp16);
HWY_EXPORT(bf16);

/// Rows of any length and format, through floats.
void converted_products(const FloatFormat& format, const std::byte* in, Floats x,
                        std::span<float> out) {
  const Converter& convert = converter(format);
  const auto cols = static_cast<std::int64_t>(x.size());
  const auto row_bytes = static_cast<std::int64_t>(convert.packed_bytes(x.size()));
  const auto read = [&](std::int64_t begin, std::int64_t count, float* to) {
    convert.to_float(in + begin * row_bytes, {to, static_cast<std::size_t>(count * cols)});
  };
  multiply_read_rows(x, read, out);
}

}  // namespace

void stored_products(const FloatFormat& format, const std::byte* in, Floats x,
                     std::span<float> out) {
  constexpr std::size_t kWhole = 16;
  if (x.size() % kWhole == 0) {
    if (&format == &kFp32) return HWY_DYNAMIC_DISPATCH(fp32)(in, x, out);
    if (&format == &kFp16) return HWY_DYNAMIC_DISPATCH(fp16)(in, x, out);
    if (&format == &kBf16) return HWY_DYNAMIC_DISPATCH(bf16)(in, x, out);
  }
  converted_products(format, in, x, out);
}

}  // namespace zp
#endif
