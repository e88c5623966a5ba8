// llama.cpp's k-quants Q2_K ... Q6_K and the table grids IQ4_NL and IQ4_XS as grids.
//
// `range` takes each unit's scale from its largest weight (and min from its smallest), d from the
// largest scale. `search`: see super_blocks_search-inl.h.
#include "grid/super_blocks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "grid/grid_of.h"
#include "grid/super_blocks_layouts.h"

namespace zp {
namespace {

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

  void open_block(Params& p, Floats w, Floats h, Fit fit) const noexcept {
    open_blocks(&p, {w.data(), 1, std::ssize(w)}, h, fit);
  }
  void open_blocks(Params* p, Matrix w, Floats h, Fit fit) const noexcept {
    super_open_blocks(layout, w, h, fit, p);
  }
  void open_unit(Params& p, std::int64_t u, Floats w, Floats h, Fit fit) const noexcept {
    open_units(&p, u, {w.data(), 1, std::ssize(w)}, h, fit);
  }
  void open_units(Params* p, std::int64_t u, Matrix w, Floats h, Fit fit) const noexcept {
    super_open_units(layout, p, static_cast<std::size_t>(u), w, h, fit);
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

  void encode_column(const Params* p, std::int64_t j, Floats w, Code* codes,
                     float* decoded) const noexcept {
    super_encode_column(layout, p, static_cast<std::size_t>(j / layout.unit), w, codes, decoded);
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
  void products(PlanesIn in, Floats x, std::span<float> out) const noexcept {
    super_products(layout, in[0], x, out);
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
  for (const SuperLayout& type : kSuperLayouts) {
    if (type.name != spec) continue;
    const SuperBlocks codec{type};
    return std::make_unique<GridOf<SuperBlocks>>(
        codec,
        VectorCode<SuperBlocks>{.open_blocks = &SuperBlocks::open_blocks,
                                .open_units = &SuperBlocks::open_units,
                                .encode_column = &SuperBlocks::encode_column,
                                .quantize_rows = &SuperBlocks::quantize_rows,
                                .products = &SuperBlocks::products},
        std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(type.name), 8 * type.bytes, type.weights()}},
        codec.limit());
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(kSuperLayouts); }

}  // namespace

extern const GridFamily grid_super_blocks;
const GridFamily grid_super_blocks{
    "super", "q2_k q3_k q4_k q5_k q6_k iq4_nl iq4_xs",
    "llama.cpp's blocks of 256 weights (iq4_nl: 32): 2- to 6-bit codes, scales (and minima) of 16 "
    "or 32 weights in 4 to 8 bits, one FP16 scale (and minimum) for all",
    examples, make};

}  // namespace zp
