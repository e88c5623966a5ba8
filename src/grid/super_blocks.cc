// llama.cpp's k-quants Q2_K ... Q6_K and the table grids IQ4_NL and IQ4_XS. Layouts are those of
// ggml-common.h; offsets in bytes, h = FP16.
//
//          block  unit  levels   scales      mins   d    dmin  scales at  codes
//   q2_k     84    16   0...3    0...15      0...15 h80  h82   0          2 bits at 16
//   q3_k    110    16   -4...3   -32...31           h108       96         2 bits at 32, third at 0
//   q4_k    144    32   0...15   0...63      0...63 h0   h2    4          4 bits at 16
//   q5_k    176    32   0...31   0...63      0...63 h0   h2    4          4 bits at 48, fifth at 16
//   q6_k    210    16   -32...31 -128...127         h208       192        4 bits at 0, 2 at 128
//   iq4_xs  136    32   a table  -32...31           h0         2          4 bits at 8
//   iq4_nl   18    32   a table  (one unit)         h0                    4 bits at 2
//
// `range` takes each unit's scale from its largest weight (and min from its smallest), d from the
// largest scale. `search`: see super_blocks_search.cc.
#include "grid/super_blocks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "grid/grid_of.h"

namespace zp {
namespace {

constexpr std::array kTypes = {
    SuperLayout{.name = "q2_k",
                .bytes = 84,
                .unit = 16,
                .units = 16,
                .lowest = 0,
                .codes = 4,
                .scale_lo = 0,
                .scale_hi = 15,
                .min_hi = 15,
                .d_at = 80,
                .dmin_at = 82,
                .scales_at = 0,
                .pack_scales = pack_scales_4_4,
                .unpack_scales = unpack_scales_4_4,
                .fields = {CodeField{16, 2, 32, 0}, {}},
                .search = {4, -0.35f, 0.4f, false, 1, 1}},
    SuperLayout{.name = "q3_k",
                .bytes = 110,
                .unit = 16,
                .units = 16,
                .lowest = -4,
                .codes = 8,
                .scale_lo = -32,
                .scale_hi = 31,
                .min_hi = 0,
                .d_at = 108,
                .dmin_at = 0,
                .scales_at = 96,
                .pack_scales = pack_scales_6,
                .unpack_scales = unpack_scales_6,
                .fields = {CodeField{32, 2, 32, 0}, {0, 1, 32, 2}},
                .search = {8, 1.1f, 0.12f, true, 1, 6}},
    SuperLayout{.name = "q4_k",
                .bytes = 144,
                .unit = 32,
                .units = 8,
                .lowest = 0,
                .codes = 16,
                .scale_lo = 0,
                .scale_hi = 63,
                .min_hi = 63,
                .d_at = 0,
                .dmin_at = 2,
                .scales_at = 4,
                .pack_scales = pack_scales_6_6,
                .unpack_scales = unpack_scales_6_6,
                .fields = {CodeField{16, 4, 32, 0}, {}},
                .search = {4, -0.4f, 0.4f, false, 1, 2}},
    SuperLayout{.name = "q5_k",
                .bytes = 176,
                .unit = 32,
                .units = 8,
                .lowest = 0,
                .codes = 32,
                .scale_lo = 0,
                .scale_hi = 63,
                .min_hi = 63,
                .d_at = 0,
                .dmin_at = 2,
                .scales_at = 4,
                .pack_scales = pack_scales_6_6,
                .unpack_scales = unpack_scales_6_6,
                .fields = {CodeField{48, 4, 32, 0}, {16, 1, 32, 4}},
                .search = {4, -0.4f, 0.45f, false, 1, 1}},
    SuperLayout{.name = "q6_k",
                .bytes = 210,
                .unit = 16,
                .units = 16,
                .lowest = -32,
                .codes = 64,
                .scale_lo = -128,
                .scale_hi = 127,
                .min_hi = 0,
                .d_at = 208,
                .dmin_at = 0,
                .scales_at = 192,
                .pack_scales = pack_scales_8,
                .unpack_scales = unpack_scales_8,
                .fields = {CodeField{0, 4, 64, 0}, {128, 2, 32, 4}},
                .search = {10, 1.04f, 0.017f, false, 0, 0}},
    SuperLayout{.name = "iq4_nl",
                .bytes = 18,
                .unit = 32,
                .units = 1,
                .lowest = 0,
                .codes = 16,
                .scale_lo = 1,
                .scale_hi = 1,
                .min_hi = 0,
                .d_at = 0,
                .dmin_at = 0,
                .scales_at = 0,
                .pack_scales = pack_scales_none,
                .unpack_scales = unpack_scales_none,
                .fields = {CodeField{2, 4, 16, 0}, {}},
                .search = {14, 1.1f, 0.07f, true, 1, 0}},
    SuperLayout{.name = "iq4_xs",
                .bytes = 136,
                .unit = 32,
                .units = 8,
                .lowest = 0,
                .codes = 16,
                .scale_lo = -32,
                .scale_hi = 31,
                .min_hi = 0,
                .d_at = 0,
                .dmin_at = 0,
                .scales_at = 2,
                .pack_scales = pack_scales_2_4,
                .unpack_scales = unpack_scales_2_4,
                .fields = {CodeField{8, 4, 16, 0}, {}},
                .search = {12, 1.1f, 0.08f, true, 1, 1}},
};

// The stored code whose level is nearest, and the level.
struct Nearest {
  std::uint8_t code;
  float level;
};

Nearest nearest_level(const SuperLayout& layout, float y) noexcept {
  if (layout.has_table()) {
    std::size_t code = 0;
    while (code < 15 && y > 0.5f * (kIq4Levels[code] + kIq4Levels[code + 1])) ++code;
    return {static_cast<std::uint8_t>(code), kIq4Levels[code]};
  }
  const auto lo = static_cast<float>(layout.lowest);
  const auto hi = static_cast<float>(layout.highest());
  const float level = std::nearbyint(std::min(std::max(y, lo), hi)) + 0.0f;  // never -0
  return {static_cast<std::uint8_t>(level - lo), level};
}

struct SuperBlocks {
  SuperLayout layout;

  using Params = SuperParams;

  std::string why_not(std::int64_t cols) const { return why_no_multiple(cols, layout.weights()); }
  GridShape shape(std::int64_t) const { return {layout.weights(), layout.unit, 1}; }
  std::int64_t row_bytes(std::size_t, std::int64_t cols) const {
    return cols / layout.weights() * layout.bytes;
  }

  void open_block(Params& p, Floats w, Floats h, Fit fit) const noexcept {
    p = super_open_block(layout, w, h, fit);
  }
  void open_unit(Params& p, std::int64_t u, Floats w, Floats h, Fit fit) const noexcept {
    super_open_unit(layout, p, static_cast<std::size_t>(u), w, h, fit);
  }

  // Codes here are the stored ones: 0, 1, 2 ...
  void encode(const Params& p, std::int64_t j, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    const UnitScale s(p, static_cast<std::size_t>(j / layout.unit));
    for (std::size_t i = 0; i < w.size(); ++i) {
      const Nearest n = nearest_level(layout, (w[i] + s.min) * s.inverse);
      codes[i] = n.code;
      decoded[i] = s.scale * n.level - s.min;
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    const auto weights = static_cast<std::size_t>(layout.weights());
    std::array<std::uint8_t, kSuperWeights> stored{};
    for (std::size_t b = 0; b < codes.size(); b += weights, to += layout.bytes) {
      std::transform(codes.begin() + static_cast<std::ptrdiff_t>(b),
                     codes.begin() + static_cast<std::ptrdiff_t>(b + weights), stored.begin(),
                     [](Code q) { return static_cast<std::uint8_t>(q); });
      super_pack(layout, params[b / weights], stored.data(), to);
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    super_decode(layout, in[0], out);
  }

  void quantize_rows(Matrix w, Floats h, Fit fit, PlanesOut out) const {
    super_quantize(layout, w, h, fit, out[0]);
  }

  // Both signs of this magnitude can be stored.
  double limit() const {
    constexpr double kLargestHalf = 65504;
    if (layout.has_min()) return kLargestHalf * layout.min_hi;
    return kLargestHalf * layout.scale_hi *
           (layout.has_table() ? kIq4Levels.back() : static_cast<float>(layout.highest()));
  }
};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  for (const SuperLayout& type : kTypes) {
    if (type.name != spec) continue;
    const SuperBlocks codec{type};
    return std::make_unique<GridOf<SuperBlocks>>(
        codec, std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(type.name)}}, codec.limit());
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(kTypes); }

}  // namespace

std::span<const SuperLayout> super_layouts() { return kTypes; }

extern const GridFamily grid_super_blocks;
const GridFamily grid_super_blocks{
    "super", "q2_k q3_k q4_k q5_k q6_k iq4_nl iq4_xs",
    "llama.cpp's blocks of 256 weights (iq4_nl: 32): 2- to 6-bit codes, scales (and minima) of 16 "
    "or 32 weights in 4 to 8 bits, one FP16 scale (and minimum) for all",
    examples, make};

}  // namespace zp
