// FP4 codes under scales of one byte: what the types differ in, as data, and the vector code that
// codes rows, into GGUF's records (fp4_blocks.cc) or into planes (microscaled.cc).
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "grid/grid.h"

namespace zp {

inline constexpr std::size_t kFp4Unit = 32;   ///< weights, at most
inline constexpr std::size_t kFp4Units = 16;  ///< units side by side

struct Fp4Type {
  std::string_view name;
  std::size_t block;
  std::size_t unit;
  float (*scale)(std::uint8_t code) noexcept;
  std::uint8_t (*range)(float largest) noexcept;
  /// The scale of a code up to `largest`: the float of bits max(code << shift, least), times
  /// factor.
  int shift;
  std::int32_t least;
  float factor;
  std::int32_t largest;  ///< code whose scale times the top value is finite
  /// Codes and scales in a plane each, the codes one behind the other; else in one record.
  bool planes = false;

  bool powers() const { return shift == 23; }  ///< a code more is twice the scale
  std::size_t bytes() const { return block / unit + block / 2; }
};

/// Twice E2M1's magnitudes, and the middles between them.
inline constexpr std::array<float, 8> kFp4Values = {0, 1, 2, 3, 4, 6, 8, 12};
inline constexpr std::array<float, 7> kFp4Middles = {0.5f, 1.5f, 2.5f, 3.5f, 5, 7, 10};

/// What the middles are multiplied by: a scale of 0 keeps every weight below them.
inline float fp4_middle_scale(float scale) noexcept {
  return scale != 0 ? scale : std::numeric_limits<float>::infinity();
}

/// Nearest, the smaller magnitude of two as near: the middles are exact.
inline Code fp4_nearest(float w, float scale) noexcept {
  const float over = fp4_middle_scale(scale);
  Code code = 0;
  for (const float middle : kFp4Middles) code += std::fabs(w) > middle * over ? 1 : 0;
  return code != 0 && w < 0 ? code + 8 : code;
}

/// The code of the scale nearest to s.
std::uint8_t fp4_scale_code(const Fp4Type& type, double s) noexcept;
/// Levels of codes: twice E2M1's values.
Values fp4_values(const Fp4Type& type);

/// Units side by side: weight i of unit u is [i][u].
struct Fp4Tile {
  std::size_t count = 0;  ///< units; what lies behind them is 0
  alignas(64) std::array<std::array<float, kFp4Units>, kFp4Unit> x{};  ///< magnitudes
  alignas(64) std::array<std::array<float, kFp4Units>, kFp4Unit> h{};
  alignas(64) std::array<std::int32_t, kFp4Units> code{};  ///< out: of each unit's scale

  /// Importance of whole units, all one if empty; only its ratios inside a unit matter.
  void set_importance(const Fp4Type& type, Floats importance) noexcept;
  void set_weights(const Fp4Type& type, Floats w) noexcept;
};

/// The scales of a tile's units.
void fp4_fit(const Fp4Type& type, Fp4Tile& tile, Fit fit) noexcept;
/// Rows as they are stored: the records, or codes and scales.
void fp4_quantize(const Fp4Type& type, Matrix w, Floats h, Fit fit, PlanesOut out) noexcept;

}  // namespace zp
