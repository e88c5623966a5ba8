// Runs of stored floating-point values to and from FP32, with vector code for every machine.
//
// Stored values are little-endian bytes of any alignment. Bits equal those of the scalar code
// (half.h, fp8.h) and of encode and decode (float_format.h), on every instruction set.
#pragma once

#include <cstddef>
#include <span>

#include "number/float_format.h"

namespace zp {

struct Converter {
  const FloatFormat* format;
  /// in: packed_bytes(out.size()) bytes.
  void (*to_float)(const std::byte* in, std::span<float> out) noexcept;
  /// out: packed_bytes(in.size()) bytes.
  void (*from_float)(std::span<const float> in, std::byte* out) noexcept;

  /// Bytes of `count` values: FP4 packs two to a byte, the first in the low bits, and pads with 0.
  constexpr std::size_t packed_bytes(std::size_t count) const {
    return (count * static_cast<std::size_t>(format->bits) + 7) / 8;
  }
};

/// The converter of one of kFloatFormats.
const Converter& converter(const FloatFormat& format);

void fp64_to_float(const std::byte* in, std::span<float> out) noexcept;
void fp16_to_float(const std::byte* in, std::span<float> out) noexcept;
void bf16_to_float(const std::byte* in, std::span<float> out) noexcept;
void fp8_e4m3_to_float(const std::byte* in, std::span<float> out) noexcept;
void fp8_e5m2_to_float(const std::byte* in, std::span<float> out) noexcept;
void fp4_e2m1_to_float(const std::byte* in, std::span<float> out) noexcept;
void e8m0_to_float(const std::byte* in, std::span<float> out) noexcept;

void float_to_fp64(std::span<const float> in, std::byte* out) noexcept;
void float_to_fp16(std::span<const float> in, std::byte* out) noexcept;
void float_to_bf16(std::span<const float> in, std::byte* out) noexcept;
void float_to_fp8_e4m3(std::span<const float> in, std::byte* out) noexcept;
void float_to_fp8_e5m2(std::span<const float> in, std::byte* out) noexcept;
void float_to_fp4_e2m1(std::span<const float> in, std::byte* out) noexcept;
void float_to_e8m0(std::span<const float> in, std::byte* out) noexcept;

}  // namespace zp
