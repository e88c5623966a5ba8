// Linear quantization of many groups at once: the best stored scale, and zero-point or minimum.
//
// What is found is taken where it gains on the parameters that are there, both stored and decoded
// as they will be.
#pragma once

#include "grid/group_tile.h"
#include "grid/linear_codes.h"

namespace zp {

/// params: of a row's groups, the last may be shorter: the scale that covers each from its smallest
/// weight to its largest, 0 among them but with Offset::min. centre: z without Offset::zero. Not
/// for scales that are powers of two.
void range_groups(const LinearForm& form, int centre, Floats w, std::size_t group,
                  LinearParams* params) noexcept;

/// params: of the tile's groups, made better where the search can; z moves with Offset::zero alone.
void fit_groups(const LinearForm& form, const GroupTile& tile, LinearParams* params) noexcept;

}  // namespace zp
