// Linear codes to and from floats, in vector code: r = s (q - z) or s q + m, with scales,
// zero-points and minima as they are stored.
//
// A code is the nearest to the exact quotient: k = clamp(round_half_even((x - m) / s)), 0 where s
// is, and q = k + z. Where decoding rounds to 16 bits it is that neighbour of k whose value is
// nearest. What it decodes to is s k, or s k + m in the form's arithmetic.
#pragma once

#include "grid/grid.h"
#include "grid/scale_type.h"

namespace zp {

/// In which type decoding computes s k, and s k + m.
enum class Arithmetic { fp32, fp16, bf16 };

/// r = s (q - z), or s q + m with Offset::min.
struct LinearForm {
  int lowest;  ///< of the codes q
  int highest;
  Offset offset;
  bool negative;  ///< whether s may be below 0
  const ScaleTypeInfo* scale;
  const ScaleTypeInfo* minimum;  ///< type of m
  Arithmetic arithmetic;         ///< of s q + m
};

struct LinearParams {
  float scale;
  float offset;       ///< m
  std::int32_t zero;  ///< z
};

/// The codes of a row: params has one for every `group` weights, the last group may be shorter. No
/// weight is NaN.
void nearest_codes(const LinearForm& form, Floats w, std::size_t group, const LinearParams* params,
                   Code* codes) noexcept;

/// One weight of many rows, params[r] those of row r: codes, and what they decode to.
void nearest_codes_of_column(const LinearForm& form, Floats w, const LinearParams* params,
                             Code* codes, float* decoded) noexcept;

/// What the codes of a row decode to.
void decode_codes(const LinearForm& form, std::span<const Code> codes, std::size_t group,
                  const LinearParams* params, float* out) noexcept;

}  // namespace zp
