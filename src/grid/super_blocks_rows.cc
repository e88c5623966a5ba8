// Rows of super-blocks: tiles of sixteen units cut from them and coded; and, for error feedback,
// the same unit or the same column of many rows.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>
#include <type_traits>
#include <vector>

#include "grid/super_blocks.h"
#include "kernel/range.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/super_blocks_rows.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "grid/super_blocks_search-inl.h"

#ifndef ZP_GRID_SUPER_BLOCKS_ROWS_ONCE
#define ZP_GRID_SUPER_BLOCKS_ROWS_ONCE
namespace zp {
namespace {

/// What a unit's levels must cover.
float reach(const SuperLayout& layout, Floats w) noexcept {
  const Range range = min_max(w);
  return layout.has_min() ? range.hi - std::min(range.lo, 0.0f) : std::max(range.hi, -range.lo);
}

/// The scale and min to start from, in proportion to what became of the unit's weights.
void move_unit(const SuperLayout& layout, SuperParams& p, std::size_t u, Floats w) noexcept {
  const float now = reach(layout, w);
  if (now == p.reach[u] || !(p.reach[u] > 0)) return;
  const float change = now / p.reach[u];
  const auto moved = [&](float number, int lo, int hi) {
    return std::nearbyint(
        std::clamp(number * change, static_cast<float>(lo), static_cast<float>(hi)));
  };
  p.scale[u] = moved(p.scale[u], layout.scale_lo, layout.scale_hi);
  p.min[u] = moved(p.min[u], 0, layout.min_hi);
  p.reach[u] = now;
}

}  // namespace
}  // namespace zp
#endif  // ZP_GRID_SUPER_BLOCKS_ROWS_ONCE

HWY_BEFORE_NAMESPACE();
namespace zp::HWY_NAMESPACE {

/// Tiles 0, 1 ... count - 1, two at a time, each step for both: what one tile waits for is time for
/// the other. prepare(tile, Work), work(span<Work>), finish(tile, Work).
template <class Prepare, class Do, class Finish>
void in_pairs(std::int64_t count, const Prepare& prepare, const Do& work, const Finish& finish) {
  constexpr std::int64_t kTogether = 2;
  std::array<Work, kTogether> works;
  for (std::int64_t i = 0; i < count; i += kTogether) {
    const auto some =
        std::span(works).first(static_cast<std::size_t>(std::min(kTogether, count - i)));
    for (std::size_t k = 0; k < some.size(); ++k)
      prepare(i + static_cast<std::int64_t>(k), some[k]);
    work(some);
    for (std::size_t k = 0; k < some.size(); ++k) finish(i + static_cast<std::int64_t>(k), some[k]);
  }
}

/// Whole numbers have no -0 in the file.
SuperParams params_of(const Stored& s, std::size_t first, std::size_t units, bool with_min) {
  SuperParams p{};
  p.d = s.d.at[first];
  if (with_min) p.dmin = s.dmin.at[first];
  for (std::size_t u = 0; u < units; ++u) {
    p.scale[u] = s.scale.at[first + u] + 0.0f;
    if (with_min) p.min[u] = s.min.at[first + u] + 0.0f;
  }
  return p;
}

/// The same of one unit, as unit i.
HWY_INLINE void put(const SuperParams& p, std::size_t u, std::size_t i, Stored& s) {
  s.d.at[i] = p.d;
  s.dmin.at[i] = p.dmin;
  s.scale.at[i] = p.scale[u];
  s.min.at[i] = p.min[u];
}

template <class F>
HWY_INLINE void code_unit(const F& f, V min, V inv, const float* w, std::uint8_t* codes) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<std::uint8_t, D> db;
  for (std::size_t j = 0; j < F::kUnit; j += kVectorUnits) {
    const V x = F::kMin ? hn::Add(hn::LoadU(d, w + j), min) : hn::LoadU(d, w + j);
    if constexpr (F::kTable) {
      hn::StoreU(hn::DemoteTo(db, table_code(hn::Mul(x, inv))), db, codes + j);
    } else {
      const V code = hn::Sub(f.level(x, inv), f.lowest);
      hn::StoreU(hn::DemoteTo(db, hn::ConvertTo(di, code)), db, codes + j);
    }
  }
}

/// The blocks of a tile. w: their weights.
template <class F>
void write_blocks(const F& f, const Stored& s, Floats w, std::byte* out) {
  constexpr std::size_t kWeights = F::kUnits * F::kUnit;
  PerUnit mins, inverses;
  for_vectors([&](std::size_t l) {
    const auto [scale, min] = as_decoded<F>(s, l);
    store(inverse(scale), inverses, l);
    store(min, mins, l);
  });
  for (std::size_t b = 0; b < w.size(); b += kWeights, out += f.layout.bytes) {
    std::uint8_t codes[kWeights];
    for (std::size_t i = 0; i < kWeights; i += F::kUnit) {
      const std::size_t u = (b + i) / F::kUnit;
      code_unit(f, set(mins.at[u]), set(inverses.at[u]), w.data() + b + i, codes + i);
    }
    super_pack(f.layout, params_of(s, b / F::kUnit, F::kUnits, F::kMin), codes, out);
  }
}

void quantize_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::byte* out) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    constexpr std::size_t kColumns = kTileUnits * F::kUnit;
    const auto cols = static_cast<std::size_t>(w.cols);
    const std::size_t tiles = (cols + kColumns - 1) / kColumns;  // of a row
    const auto tile_of = [&](Floats row, std::size_t i) {
      return row.subspan(i * kColumns, std::min(kColumns, cols - i * kColumns));
    };
    // Laid out once for all rows; without importance one will do for every tile.
    std::vector<Importance> importance(h.empty() ? 1 : tiles);
    for (std::size_t i = 0; i < importance.size(); ++i)
      load_importance(f, h.empty() ? h : tile_of(h, i), importance[i]);
    const auto weights = [&](std::int64_t tile) {
      const auto [row, i] = std::div(tile, static_cast<std::int64_t>(tiles));
      return tile_of(w.row(row), static_cast<std::size_t>(i));
    };
    const auto prepare = [&](std::int64_t tile, Work& work) {
      const std::size_t i = h.empty() ? 0 : static_cast<std::size_t>(tile) % tiles;
      load_weights(f, weights(tile), importance[i], work.tile);
    };
    const auto open = [&](std::span<Work> works) {
      open_blocks(f, !h.empty(), fit, works);
      open_all_units(f, !h.empty(), fit, works);
    };
    const auto finish = [&](std::int64_t tile, const Work& work) {
      const Floats part = weights(tile);
      write_blocks(f, work.stored, part, out);
      out += static_cast<std::ptrdiff_t>(part.size()) / layout.weights() * layout.bytes;
    };
    in_pairs(w.rows * static_cast<std::int64_t>(tiles), prepare, open, finish);
  });
}

/// `count` rows of w from row r, one after another, as a tile.
template <class F>
void load_rows(const F& f, Matrix w, std::int64_t r, std::int64_t count,
               const Importance& importance, Tile& t) {
  std::array<float, kTileUnits * F::kUnit> values;
  float* to = values.data();
  for (std::int64_t i = r; i < r + count; ++i, to += w.cols) std::ranges::copy(w.row(i), to);
  load_weights(f, Floats(values).first(static_cast<std::size_t>(count * w.cols)), importance, t);
}

/// Blocks of as many rows as fill a tile.
void open_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, SuperParams* p) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    constexpr std::int64_t kRows = kTileUnits / F::kUnits;
    std::vector<float> of_rows;
    for (std::int64_t b = 0; b < kRows; ++b) of_rows.insert(of_rows.end(), h.begin(), h.end());
    Importance importance;
    load_importance(f, of_rows, importance);
    const auto rows = [&](std::int64_t tile) { return std::min(kRows, w.rows - tile * kRows); };
    const auto prepare = [&](std::int64_t tile, Work& work) {
      load_rows(f, w, tile * kRows, rows(tile), importance, work.tile);
    };
    const auto open = [&](std::span<Work> works) { open_blocks(f, !h.empty(), fit, works); };
    const auto finish = [&](std::int64_t tile, const Work& work) {
      for (std::int64_t b = 0; b < rows(tile); ++b) {
        p[tile * kRows + b] =
            params_of(work.stored, static_cast<std::size_t>(b) * F::kUnits, F::kUnits, F::kMin);
      }
    };
    in_pairs((w.rows + kRows - 1) / kRows, prepare, open, finish);
  });
}

/// One unit of sixteen rows at a time.
void open_unit_of_rows(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::size_t u,
                       SuperParams* p) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    constexpr std::int64_t kRows = kTileUnits;
    Importance importance;
    load_importance(f, h, importance);
    for_vectors([&](std::size_t l) {
      for (std::size_t j = 0; j < F::kUnit; ++j)
        store(set(importance.h[j].at[0]), importance.h[j], l);
      store(set(importance.n.at[0]), importance.n, l);
    });
    const auto params = [&](std::int64_t tile) {
      return std::span(p, static_cast<std::size_t>(w.rows))
          .subspan(static_cast<std::size_t>(tile * kRows),
                   static_cast<std::size_t>(std::min(kRows, w.rows - tile * kRows)));
    };
    const auto prepare = [&](std::int64_t tile, Work& work) {
      const std::span<SuperParams> of = params(tile);
      load_rows(f, w, tile * kRows, std::ssize(of), importance, work.tile);
      work.stored = {};
      for (std::size_t i = 0; i < of.size(); ++i) {
        put(of[i], u, i, work.stored);
      }
    };
    const auto open = [&](std::span<Work> works) { open_units(f, !h.empty(), fit, works); };
    const auto finish = [&](std::int64_t tile, const Work& work) {
      const std::span<SuperParams> of = params(tile);
      for (std::size_t i = 0; i < of.size(); ++i) {
        of[i].scale[u] = work.stored.scale.at[i] + 0.0f;
        if (F::kMin) of[i].min[u] = work.stored.min.at[i] + 0.0f;
      }
    };
    in_pairs((w.rows + kRows - 1) / kRows, prepare, open, finish);
  });
}

/// One weight of sixteen rows at a time.
void encode_column(const SuperLayout& layout, const SuperParams* p, std::size_t u, Floats w,
                   Code* codes, float* decoded) {
  with_form(layout, [&](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    const hn::RebindToSigned<D> di;
    for (std::size_t r = 0; r < w.size(); r += kTileUnits) {
      const std::size_t rows = std::min(kTileUnits, w.size() - r);
      Stored s{};
      PerUnit x{}, value;
      for (std::size_t i = 0; i < rows; ++i) {
        put(p[r + i], u, i, s);
        x.at[i] = w[r + i];
      }
      alignas(64) std::array<Code, kTileUnits> code;
      for_vectors([&](std::size_t l) {
        const auto [scale, min] = as_decoded<F>(s, l);
        const V above = hn::Add(load(x, l), min);
        const V inv = inverse(scale);
        if constexpr (F::kTable) {
          const auto index = table_code(hn::Mul(above, inv));
          hn::Store(index, di, code.data() + l);
          store(hn::Sub(hn::Mul(scale, entry(kIq4Levels.data(), index)), min), value, l);
        } else {
          const V level = hn::Add(f.level(above, inv), zero());
          hn::Store(hn::ConvertTo(di, hn::Sub(level, f.lowest)), di, code.data() + l);
          store(hn::Sub(hn::Mul(scale, level), min), value, l);
        }
      });
      std::copy_n(code.begin(), rows, codes + r);
      std::copy_n(value.at, rows, decoded + r);
    }
  });
}

}  // namespace zp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zp {

HWY_EXPORT(quantize_rows);
HWY_EXPORT(open_rows);
HWY_EXPORT(open_unit_of_rows);
HWY_EXPORT(encode_column);

void super_open_blocks(const SuperLayout& layout, Matrix w, Floats h, Fit fit,
                       SuperParams* p) noexcept {
  HWY_DYNAMIC_DISPATCH(open_rows)(layout, w, h, fit, p);
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::int64_t u = 0; u < w.cols / layout.unit; ++u)
      p[r].reach[static_cast<std::size_t>(u)] =
          reach(layout, w.columns(u * layout.unit, layout.unit).row(r));
  }
}

void super_open_units(const SuperLayout& layout, SuperParams* p, std::size_t u, Matrix w, Floats h,
                      Fit fit) noexcept {
  for (std::int64_t r = 0; r < w.rows; ++r) move_unit(layout, p[r], u, w.row(r));
  HWY_DYNAMIC_DISPATCH(open_unit_of_rows)(layout, w, h, fit, u, p);
}

void super_encode_column(const SuperLayout& layout, const SuperParams* p, std::size_t u, Floats w,
                         Code* codes, float* decoded) noexcept {
  HWY_DYNAMIC_DISPATCH(encode_column)(layout, p, u, w, codes, decoded);
}

void super_quantize(const SuperLayout& layout, Matrix w, Floats h, Fit fit, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(quantize_rows)(layout, w, h, fit, out);
}

}  // namespace zp
#endif
