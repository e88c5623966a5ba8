// llama.cpp's super-blocks: what the types differ in, as data, and the functions on one block.
//
// A block holds `units` units. A unit's weights are
//
//   x = (d scale) level(code) - (dmin min)        d, dmin FP16; scale, min small integers of the
//   unit
//
// each product rounded to FP32. level(code) is lowest + code, or an entry of a table of 16.
// super_blocks_layouts.h has the types, super_blocks.cc the grids, super_blocks_bytes.cc writes
// blocks, super_blocks_decode.cc reads them, super_blocks_search-inl.h finds d, dmin, scales and
// mins, super_blocks_rows.cc takes rows through it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "grid/grid.h"

namespace zp {

inline constexpr std::size_t kSuperUnits = 16;     ///< at most
inline constexpr std::size_t kSuperWeights = 256;  ///< at most

/// One block's parameters; scales and mins are whole numbers.
struct SuperParams {
  float d;
  float dmin;
  std::array<float, kSuperUnits> scale;
  std::array<float, kSuperUnits> min;
  /// How far the unit's weights reached when the block was opened; open_unit starts from scale and
  /// min times what became of it.
  std::array<float, kSuperUnits> reach;
};

/// Where a block's scales and mins lie (super_blocks_scales.h).
enum class ScalePlaces {
  none,       ///< one unit, whose scale is 1
  four_four,  ///< 16 bytes: 16 scales and 16 mins
  six_six,    ///< 12 bytes: 8 scales and 8 mins
  six,        ///< 12 bytes: 16 scales
  eight,      ///< 16 bytes: 16 scales
  two_four,   ///< 6 bytes: 8 scales
};

/// Bits of every code that lie together: code e of a run of stride (8 / bits) codes is in byte
/// e % stride, from bit bits (e / stride).
struct CodeField {
  int at;      ///< offset in the block
  int bits;    ///< of a code
  int stride;  ///< bytes of a run
  int shift;   ///< which bits of the code: from this one
};

/// How far the search goes. It starts from ranges the codes could cover. With mins: each end first,
/// first + step ... code steps inside the unit's extremes, every pair. Without: the weight of
/// largest magnitude at first, first - step ... times the lowest level, and at minus that, by turns
/// or each time both.
struct SuperSearch {
  int starts;  ///< of one end; without mins, all
  float first, step;
  bool both_signs;
  int rounds;      ///< of nearest codes and least squares, for a unit alone
  int neighbours;  ///< inner scales tried on each side of the one found
};

struct SuperLayout {
  std::string_view name;
  int bytes;
  int unit;    ///< weights
  int units;   ///< of a block
  int lowest;  ///< level of code 0, if levels are no table
  int codes;   ///< how many
  int scale_lo, scale_hi;
  int min_hi;  ///< 0: no mins
  int d_at, dmin_at;
  int scales_at;
  ScalePlaces scales;
  int scale_bias;                   ///< added to a scale to store it
  std::array<CodeField, 2> fields;  ///< the second one may have no bits
  SuperSearch search;

  constexpr int weights() const { return unit * units; }
  constexpr bool has_min() const { return min_hi > 0; }
  constexpr bool has_table() const { return codes == 16 && !has_min(); }
  constexpr int highest() const { return lowest + codes - 1; }
};

/// Levels of IQ4_NL and IQ4_XS ("kvalues_iq4nl" of ggml-common.h).
inline constexpr std::array<float, 16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                     1,    13,   25,  38,  53,  69,  89,  113};

/// codes: stored ones, layout.weights(); out: layout.bytes.
void super_pack(const SuperLayout& layout, const SuperParams& p, const std::uint8_t* codes,
                std::byte* out) noexcept;

/// What a unit's weights are coded and decoded with.
struct UnitScale {
  float scale;    ///< d scale
  float min;      ///< dmin min
  float inverse;  ///< 1 / scale, or 0

  UnitScale(const SuperParams& p, std::size_t u) noexcept
      : scale(p.d * p.scale[u]), min(p.dmin * p.min[u]), inverse(scale != 0 ? 1 / scale : 0) {
    constexpr float kHuge = 3.0e38f;  // the inverse of a scale this small is beyond FP32
    if (!(inverse <= kHuge && inverse >= -kHuge)) inverse = 0;
  }
};

/// Of each row outer parameters, and inner ones to start from, for one block. w: rows of
/// layout.weights(); h: as a row, or empty.
void super_open_blocks(const SuperLayout& layout, Matrix w, Floats h, Fit fit,
                       SuperParams* p) noexcept;
/// Of each row inner parameters of unit u for these weights, d and dmin as they are.
void super_open_units(const SuperLayout& layout, SuperParams* p, std::size_t u, Matrix w, Floats h,
                      Fit fit) noexcept;
/// One weight of unit u in each row: the nearest code, and what it decodes to.
void super_encode_column(const SuperLayout& layout, const SuperParams* p, std::size_t u, Floats w,
                         Code* codes, float* decoded) noexcept;
/// Rows: open_block, open_unit, nearest codes, pack.
void super_quantize(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::byte* out);
/// Blocks of one row.
void super_decode(const SuperLayout& layout, const std::byte* in, std::span<float> out) noexcept;
/// Rows of x.size() weights: as Grid::products.
void super_products(const SuperLayout& layout, const std::byte* in, Floats x,
                    std::span<float> out) noexcept;

}  // namespace zp
