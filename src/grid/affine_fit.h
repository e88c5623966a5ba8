// Fitting the parameters of r = s k (one parameter) and r = s q + m (two) to one group of weights:
// long groups, and the exact answer for short ones. (Many short groups: affine_search.h.)
//
// fit_scale is exact. As t = 1/s grows from 0, the codes k = clamp(round(x t)) change only at the
// breakpoints t = (n + 1/2) / |x|, so all code vectors that any scale can produce lie on one path.
// For a fixed code vector the error C - 2 s A + s^2 B (A = sum h x k, B = sum h k^2) is a parabola
// in s, so among the stored scales its best is the one nearest to A / B. If s0 is the best stored
// scale and k0 its codes, k0 is on the path and the stored scale tried there is at least as good as
// s0: walking the path therefore finds the least error over all stored scales. Two cuts keep it
// short:
//   - below: a lattice whose largest code is at most half the limit is contained in the one with
//   half
//     the step, which clips nothing either; so t begins at half the t that just clips nothing.
//     (With more than kExactCodes codes on a side the walk begins half of them below the limit
//     instead, and long groups and 16-bit codes take a raster of scales: heuristics.)
//   - above: clipping alone costs more than the best found so far; it only grows with t.
//
// fit_scale_offset is a search: a raster of ranges around the extremes, each improved by
// alternating nearest codes and least squares, the best refined against the stored types.
#pragma once

#include "base/view.h"

namespace zp {

/// A number type scales are stored in; round() gives the nearest storable value, finite.
struct StoredScale {
  float (*round)(double value);
};

/// Codes on one side up to which fit_scale is exact (4-bit grids and below).
inline constexpr int kExactCodes = 8;

/// Least sum h (x - s k)^2 over stored s > 0 and k in [lo, hi], lo <= 0 <= hi; h empty: all one.
/// With `negative`, s < 0 as well. Returns the scale; `error`, if given, the squared error.
float fit_scale(Floats x, Floats h, int lo, int hi, bool negative, StoredScale stored,
                double* error = nullptr);

struct ScaleZero {
  float scale = 0;
  int zero = 0;
};

/// sum h (x - s (q - z))^2 made small over stored s > 0, z and q in [lowest, highest]; z near
/// `around`: the one that looks best on a raster of scales, with its exact scale.
ScaleZero fit_scale_zero(Floats x, Floats h, int lowest, int highest, int around,
                         StoredScale stored);

struct ScaleOffset {
  float scale = 0;
  float offset = 0;
};

/// sum h (x - (s q + m))^2 made small over stored s >= 0 and m, q in [0, levels].
ScaleOffset fit_scale_offset(Floats x, Floats h, int levels, StoredScale stored,
                             StoredScale stored_offset, double* error = nullptr);

}  // namespace zp
