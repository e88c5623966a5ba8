// The search of linear quantization for the least (importance-weighted) squared error, sixteen
// groups at once.
//
// A guess (s, m) gives codes q = clamp(round((x - m) / s)); for these the best s and m follow by
// least squares, and one pass over the weights tells the error both reach: with few codes from sums
// alone, with many, whose errors are small, from what the guess leaves over. The guesses: scales at
// which `c` more codes than there are would cover the range, from c = -0.6 (nothing is clipped,
// with room) to 20; with a minimum, the range cut at either end or at both. The best is improved by
// alternating codes and least squares, and from scales on either side of it. That is no proof of
// the optimum: affine_search_test.cc says how near it comes to the exact search of affine_fit.h,
// which follows all codes that a scale can produce.
#pragma once

#include "grid/group_tile.h"
#include "grid/linear_codes.h"

namespace zp {

/// Values s k + m with k in [lo, hi], lo <= 0 <= hi, of each group.
struct CodeRange {
  PerGroup lo;
  PerGroup hi;
};

/// m = 0 and s > 0 in `scale`; with `negative`, s < 0 as well; 0 where no scale gains. error: what
/// s reaches before it is stored, on x times the tile's power.
void search_scale(const GroupTile& tile, const CodeRange& codes, bool negative, PerGroup& scale,
                  PerGroup& error) noexcept;

/// The same with few guesses: for comparing ranges of codes.
void glance_at_scale(const GroupTile& tile, const CodeRange& codes, PerGroup& error) noexcept;

/// s >= 0 and m, for codes from 0 to `levels`.
void search_line(const GroupTile& tile, float levels, PerGroup& scale, PerGroup& offset) noexcept;

/// The m that fits best to codes chosen with s and m.
void refit_offset(const GroupTile& tile, float levels, const PerGroup& scale,
                  PerGroup& offset) noexcept;

/// The sum of h e^2 for nearest codes of scale and offset as they are stored, on x times the tile's
/// power.
void stored_errors(const GroupTile& tile, const LinearForm& form, const CodeRange& codes,
                   const PerGroup& scale, const PerGroup& offset, PerGroup& error) noexcept;

}  // namespace zp
