// Linear quantization of many groups at once: the best stored scale, and zero-point or minimum.
//
// What is found is taken where it gains on the parameters that are there, both stored and decoded
// as they will be.
#pragma once

#include "grid/affine_search.h"
#include "grid/grid.h"
#include "grid/scale_type.h"

namespace zp {

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

/// params: of the tile's groups, made better where the search can; z moves with Offset::zero alone.
void fit_groups(const LinearForm& form, const GroupTile& tile, LinearParams* params) noexcept;

/// Nearest codes: weight i of group g at codes[g] + i.
void nearest_codes(const LinearForm& form, const GroupTile& tile, const LinearParams* params,
                   Code* const* codes) noexcept;

}  // namespace zp
