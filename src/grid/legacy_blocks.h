// Blocks of 32 of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: the scalar reference and the vector code, which
// gives the same bytes.
#pragma once

#include <cmath>

#include "grid/grid.h"

namespace zp {

struct LegacyLayout {
  int bits;
  bool has_min;

  constexpr int levels() const { return (1 << bits) - 1; }
  /// Codes as r = d q + m takes them: -8...7 (-127...127 for Q8_0), or 0...15 with a minimum.
  int lowest() const { return has_min ? 0 : bits == 8 ? -127 : -(1 << (bits - 1)); }
  int highest() const { return has_min ? levels() : (1 << (bits - 1)) - 1; }
  /// What is added to a code to store it unsigned; Q8_0 stores signed bytes.
  constexpr int bias() const { return bits == 8 || has_min ? 0 : 1 << (bits - 1); }
  constexpr std::int64_t bytes() const {
    return 2 + (has_min ? 2 : 0) + (bits == 5 ? 4 : 0) + (bits == 8 ? 32 : 16);
  }
};

struct LegacyParams {
  float d;        ///< as stored, rounded to FP16
  float m;        ///< as stored
  float inverse;  ///< what weights are multiplied by: 1 / the scale codes are chosen with, or 0
  float origin;   ///< what is subtracted before: the minimum codes are chosen with
};

/// Parameters of stored d and m whose codes are chosen with `scale` and `origin`.
LegacyParams legacy_params(float d, float m, float scale, float origin) noexcept;
/// The format's own formulas. w: 32 weights.
LegacyParams legacy_range(const LegacyLayout& layout, Floats w) noexcept;

inline Code legacy_code(const LegacyLayout& layout, const LegacyParams& p, float w) noexcept {
  const float scaled = (w - p.origin) * p.inverse;
  if (layout.bits == 8) {  // half away from zero, as the format's formula has it
    const float whole = std::trunc(scaled);
    const float rest = scaled - whole;
    const float rounded = whole + (rest >= 0.5f ? 1.0f : rest <= -0.5f ? -1.0f : 0.0f);
    return static_cast<Code>(rounded < -127.0f ? -127.0f : rounded > 127.0f ? 127.0f : rounded);
  }
  const float shifted = scaled + (static_cast<float>(layout.bias()) + 0.5f);
  const auto top = static_cast<float>(layout.levels());
  return static_cast<Code>(shifted < 0.0f ? 0.0f : shifted > top ? top : shifted) - layout.bias();
}

/// One block. codes: 32.
void legacy_pack(const LegacyLayout& layout, const LegacyParams& p, std::span<const Code> codes,
                 std::byte* out) noexcept;

/// Whole rows' worth of blocks.
void legacy_decode(const LegacyLayout& layout, const std::byte* in, std::span<float> out) noexcept;
/// Rows of x.size() weights: as Grid::products.
void legacy_products(const LegacyLayout& layout, const std::byte* in, Floats x,
                     std::span<float> out) noexcept;

/// A whole row with the parameters of its blocks, in vector code; none: by `range`.
void legacy_quantize(const LegacyLayout& layout, Floats w, std::span<const LegacyParams> params,
                     std::byte* out) noexcept;

}  // namespace zp
