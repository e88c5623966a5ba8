// Linear quantization of many groups at once: the best stored scale, and zero-point or minimum.
//
// What is found is taken where it gains on the parameters that are there, both stored and decoded
// as they will be.
#pragma once

#include "grid/group_tile.h"
#include "grid/linear_codes.h"

namespace zp {

/// params: of the tile's groups, made better where the search can; z moves with Offset::zero alone.
void fit_groups(const LinearForm& form, const GroupTile& tile, LinearParams* params) noexcept;

}  // namespace zp
