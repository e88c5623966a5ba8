// llama.cpp's 32-weight blocks Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: an FP16 scale (and minimum) before the
// codes. Layout and rounding: ggml's quants, read from its format; `range` follows its formulas to
// the byte, `search` finds better scales for the same layout.
//
//   q4_0  h d; nibbles        x = d (q - 8)     range: d = (the weight of largest magnitude) / -8
//   q5_0  h d; u32; nibbles   x = d (q - 16)    the same with -16
//   q8_0  h d; i8             x = d q           d = amax / 127
//   q4_1  h d; h m; nibbles   x = d q + m       d = (max - min) / 15, m = min
//   q5_1  h d; h m; u32; nibbles                the same with 31
//
// Byte j of the nibbles holds codes j (low) and j + 16 (high); bit j of the u32 is code j's fifth.
// The range formulas take scale and minimum before they are rounded to FP16; so do we, in `range`
// only.
#include "grid/legacy_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/checked.h"
#include "base/error.h"
#include "grid/grid_of.h"
#include "grid/held_linear.h"
#include "grid/linear_groups.h"
#include "kernel/range.h"

namespace zp {
namespace {

constexpr std::int64_t kBlock = 32;
const ScaleTypeInfo& fp16() { return info(ScaleType::s16); }

struct LegacyBlocks {
  LegacyLayout layout;

  // Codes are clamp(trunc((x - origin) inverse + shift), 0, levels) - bias, decoded as d q + m.
  using Params = LegacyParams;

  std::string why_not(std::int64_t cols) const { return why_no_multiple(cols, kBlock); }
  GridShape shape(std::int64_t) const { return {kBlock, kBlock, 1}; }

  void open_block(Params&, Floats, Floats, Fit) const noexcept {}

  void open_unit(Params& p, std::int64_t u, Floats w, Floats h, Fit fit) const noexcept {
    open_units(&p, u, Matrix(w.data(), 1, kBlock), h, fit);
  }

  /// The same unit of many rows.
  void open_units(Params* params, std::int64_t, Matrix w, Floats h, Fit fit) const noexcept {
    for (std::int64_t r = 0; r < w.rows; ++r) params[r] = legacy_range(layout, w.row(r));
    if (fit == Fit::search) search(params, w.rows, [&](std::int64_t r) { return w.row(r); }, h, {});
  }

  // Params of `count` blocks, better where the search gains; a block's weights: weights(i). h: of
  // one block, the same for all; or of all, one behind the other, in `all_h`.
  template <class Weights>
  void search(Params* params, std::int64_t count, const Weights& weights, Floats h,
              Floats all_h) const noexcept {
    const LinearForm form = linear();
    static thread_local GroupTile tile;
    for (std::int64_t i = 0; i < count;) {
      const std::int64_t begin = i;
      std::array<LinearParams, kTileGroups> found{};
      tile.begin(kBlock, !h.empty() || !all_h.empty());
      for (; i < count && !tile.full(); ++i) {
        found[tile.groups] = {params[i].d, params[i].m, 0};
        tile.add(weights(i), all_h.empty() ? h : all_h.subspan(place(i), place(1)));
      }
      fit_groups(form, tile, found.data());
      for (std::size_t g = 0; g < tile.groups; ++g) {
        Params& p = params[begin + static_cast<std::int64_t>(g)];
        const auto& [d, m, zero] = found[g];
        if (d != p.d || m != p.m) p = legacy_params(d, m, d, m);
      }
    }
  }

  static std::size_t place(std::int64_t block) { return static_cast<std::size_t>(block * kBlock); }

  LinearForm linear() const noexcept {
    return {layout.lowest(),
            layout.highest(),
            layout.has_min ? Offset::min : Offset::sym,
            !layout.has_min && layout.lowest() != -layout.highest(),
            &fp16(),
            &fp16(),
            Arithmetic::fp32};
  }

  int ways() const noexcept { return linear_ways(linear()); }
  bool take_way(Params& p, std::int64_t, int i, Floats w) const noexcept {
    LinearParams stored{};
    if (!take_linear_way(linear(), 0, i, w, stored)) return false;
    p = legacy_params(stored.scale, stored.offset, stored.scale, stored.offset);
    return true;
  }
  double level(const Params&, Code q) const noexcept {
    return layout.has_min ? std::numeric_limits<double>::quiet_NaN() : q;
  }
  void set_scale(Params& p, std::int64_t, double s) const noexcept {
    const float d = fp16().nearest.round(s);
    p = legacy_params(d, 0, d, 0);
  }
  Values values() const {
    return linear_values(linear(), layout.has_min ? (layout.levels() + 1) / 2 : 0);
  }

  void encode(const Params& p, std::int64_t, Floats w, std::span<Code> codes,
              std::span<float> decoded) const noexcept {
    for (std::size_t i = 0; i < w.size(); ++i) {
      codes[i] = legacy_code(layout, p, w[i]);
      decoded[i] = p.d * static_cast<float>(codes[i]) + p.m;
    }
  }

  void pack(const Params* params, std::span<const Code> codes, PlanesOut out) const noexcept {
    std::byte* to = out[0];
    for (std::size_t b = 0; b < codes.size(); b += kBlock, to += layout.bytes()) {
      legacy_pack(layout, params[b / kBlock], codes.subspan(b, kBlock), to);
    }
  }

  void decode_row(PlanesIn in, std::span<float> out) const noexcept {
    legacy_decode(layout, in[0], out);
  }
  void products(PlanesIn in, Floats x, std::span<float> out) const noexcept {
    legacy_products(layout, in[0], x, out);
  }

  bool quantize_row(Floats w, Floats h, Fit fit, PlanesOut out) const {
    static thread_local std::vector<Params> params;
    params.clear();
    if (fit == Fit::search) {
      const auto block = [&](std::int64_t i) { return w.subspan(place(i), place(1)); };
      for (std::int64_t i = 0; i < std::ssize(w) / kBlock; ++i)
        params.push_back(legacy_range(layout, block(i)));
      search(params.data(), std::ssize(params), block, {}, h);
    }
    legacy_quantize(layout, w, params, out[0]);
    return true;
  }
};

struct Named {
  std::string_view name;
  LegacyLayout layout;
};
constexpr std::array kTypes = {
    Named{"q4_0", {4, false}}, Named{"q4_1", {4, true}},  Named{"q5_0", {5, false}},
    Named{"q5_1", {5, true}},  Named{"q8_0", {8, false}},
};

std::unique_ptr<Grid> make(std::string_view spec, const AffineForm&) {
  for (const Named& type : kTypes) {
    if (type.name != spec) continue;
    const double limit = 65504.0 * (type.layout.has_min ? 1 : type.layout.highest());
    return std::make_unique<GridOf<LegacyBlocks>>(
        LegacyBlocks{type.layout},
        VectorCode<LegacyBlocks>{.open_units = &LegacyBlocks::open_units,
                                 .quantize_row = &LegacyBlocks::quantize_row,
                                 .products = &LegacyBlocks::products},
        std::string(spec), Family::blocks,
        std::vector<Plane>{{"blocks", std::string(type.name), 8 * type.layout.bytes(), kBlock}},
        limit);
  }
  return nullptr;
}

std::vector<std::string> examples() { return names_of(kTypes); }

}  // namespace

extern const GridFamily grid_legacy_blocks;
const GridFamily grid_legacy_blocks{"legacy", "q4_0 q4_1 q5_0 q5_1 q8_0",
                                    "llama.cpp's blocks of 32 weights: an FP16 scale (and minimum "
                                    "in _1) before 4-, 5- or 8-bit codes",
                                    examples, make};

}  // namespace zp
