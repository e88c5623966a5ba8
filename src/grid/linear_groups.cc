#include "grid/linear_groups.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "grid/affine_search.h"

namespace zp {
namespace {

using TileParams = std::array<LinearParams, kTileGroups>;

constexpr int kZerosAside = 2;  // of the one that the extremes ask for

CodeRange codes_of(const LinearForm& form, const GroupTile& tile, const LinearParams* params) {
  CodeRange codes{};
  for (std::size_t g = 0; g < tile.groups; ++g) {
    codes.lo.at[g] = static_cast<float>(form.lowest - params[g].zero);
    codes.hi.at[g] = static_cast<float>(form.highest - params[g].zero);
  }
  return codes;
}

// The stored parameters', with the codes and values they lead to.
PerGroup errors_of(const LinearForm& form, const GroupTile& tile, const LinearParams* params) {
  PerGroup scale{}, offset{}, error;
  for (std::size_t g = 0; g < tile.groups; ++g) {
    scale.at[g] = params[g].scale;
    offset.at[g] = params[g].offset;
  }
  stored_errors(tile, form, codes_of(form, tile, params), scale, offset, error);
  return error;
}

// The zero-points that look best.
void choose_zeros(const LinearForm& form, const GroupTile& tile, TileParams& params) {
  const TileParams around = params;
  PerGroup least;
  std::ranges::fill(least.at, std::numeric_limits<float>::infinity());
  for (int aside = -kZerosAside; aside <= kZerosAside; ++aside) {
    TileParams tried = around;
    for (std::size_t g = 0; g < tile.groups; ++g)
      tried[g].zero = std::clamp(around[g].zero + aside, form.lowest, form.highest);
    PerGroup error;
    glance_at_scale(tile, codes_of(form, tile, tried.data()), error);
    for (std::size_t g = 0; g < tile.groups; ++g) {
      if (!(error.at[g] < least.at[g])) continue;
      least.at[g] = error.at[g];
      params[g].zero = tried[g].zero;
    }
  }
}

// `params` with scales 2^shift times the best, stored.
TileParams stored(const LinearForm& form, const GroupTile& tile, const TileParams& params,
                  const PerGroup& scale, const PerGroup& offset, int shift) {
  TileParams out = params;
  PerGroup s;
  PerGroup m = offset;
  for (std::size_t g = 0; g < tile.groups; ++g)
    out[g].scale = s.at[g] = form.scale->nearest.round(std::ldexp(scale.at[g], shift));
  if (form.offset != Offset::min) return out;
  refit_offset(tile, static_cast<float>(form.highest - form.lowest), s, m);
  for (std::size_t g = 0; g < tile.groups; ++g)
    out[g].offset = form.minimum->nearest.round(m.at[g]);
  return out;
}

}  // namespace

void fit_groups(const LinearForm& form, const GroupTile& tile, LinearParams* params) noexcept {
  TileParams found{};
  std::copy_n(params, tile.groups, found.begin());
  PerGroup scale{};
  PerGroup offset{};
  if (form.offset == Offset::min) {
    search_line(tile, static_cast<float>(form.highest - form.lowest), scale, offset);
  } else {
    if (form.offset == Offset::zero) choose_zeros(form, tile, found);
    PerGroup error;
    search_scale(tile, codes_of(form, tile, found.data()), form.negative, scale, error);
  }
  // Rounding of two sums of `count` terms: what gains more than that gains.
  const float margin = 1 - static_cast<float>(tile.count + 2) * 0x1p-23f;
  PerGroup least = errors_of(form, tile, params);
  for (std::size_t g = 0; g < tile.groups; ++g) least.at[g] *= margin;
  // Powers of two are too far apart for the nearest to be the best.
  const int shifts = form.scale == &info(ScaleType::pow2) ? 1 : 0;
  for (int shift = -shifts; shift <= shifts; ++shift) {
    const TileParams tried = stored(form, tile, found, scale, offset, shift);
    const PerGroup error = errors_of(form, tile, tried.data());
    for (std::size_t g = 0; g < tile.groups; ++g) {
      if (!(error.at[g] < least.at[g])) continue;
      least.at[g] = error.at[g];
      params[g] = tried[g];
    }
  }
}

}  // namespace zp
