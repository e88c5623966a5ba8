// IQ1, IQ2 and IQ3: blocks of 256 weights whose codes name points of a codebook, 4 or 8 weights at
// a time. Source: ggml-common.h, ggml-quants.c (dequantize_row_iq*).
//
//   r = d (2 l + 1) f v      d FP16 of the block, l the unit's scale, f the type's factor
//
// A cell is the 4 or 8 weights that one entry of the codebook gives levels; v is the weight's level
// with its sign (IQ2, IQ3), or the level -1, 0, 1 and a shift of +-1/8 (IQ1). Where signs are even,
// only 7 of 8 are stored: the number of minus signs among eight weights is even.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "grid/grid.h"
#include "grid/lattice_plan.h"

namespace zp {

inline constexpr std::size_t kLatticeBlock = 256;
inline constexpr std::size_t kLatticeCells = 64;  ///< at most
inline constexpr std::size_t kLatticeUnits = 16;  ///< at most

enum class LatticeSigns {
  free,        ///< each weight has its own
  even,        ///< of eight weights the minus signs are even in number
  unit_shift,  ///< none; the unit's shift is + or -
  cell_shift,  ///< none; the cell's shift is + or -
};

/// One block as stored, unpacked.
struct LatticeRecord {
  std::uint16_t d = 0;
  std::array<std::uint8_t, kLatticeUnits> level{};  ///< l
  std::array<std::uint8_t, kLatticeUnits> shift{};  ///< 1: the unit's shift is negative
  /// Of each cell: entry | minus signs << 16 (bit i: weight i; or bit 0: the shift is negative).
  std::array<Code, kLatticeCells> code{};
};

/// Which moves of one weight, from 0 to its sign or back, make a cell's levels an entry.
struct LatticeMoves {
  /// A byte for each point, bit i: weight i may move; 0 for entries. Bit i of a point: weight i is
  /// not 0; bit 8 + i: it is negative, or its 0 stands for a negative weight.
  std::vector<std::int32_t> four_points;

  explicit LatticeMoves(std::span<const std::uint16_t> codebook);
};

struct LatticeType {
  std::string_view name;
  std::size_t dims;                         ///< weights of a cell, 4 or 8
  std::span<const std::uint16_t> codebook;  ///< lattice_codebooks.inc
  const LatticePlan& (*plan)();             ///< of the codebook; made when first asked for
  const LatticeMoves& (*moves)();           ///< of IQ1, else nullptr
  std::array<float, 8> levels;              ///< 3 of them for 8 weights, 8 for 4
  const std::array<float, 4>* halves;       ///< levels of each pattern of half a cell
  std::size_t unit;                         ///< weights that share l
  int scales;                               ///< values of l
  float factor;
  LatticeSigns signs;
  float shift;    ///< 0 but for IQ1
  float typical;  ///< level of what is usual in a unit (LatticePowers)
  std::size_t bytes;
  void (*pack)(const LatticeRecord& record, std::byte* out);
  void (*unpack)(const std::byte* in, LatticeRecord& record);

  std::size_t base() const { return dims == 8 ? 3 : 8; }
  float multiplier(int l) const { return static_cast<float>(2 * l + 1) * factor; }
  float top() const { return levels[base() - 1] + shift; }
  /// v of each weight of a cell.
  std::array<float, 8> values(Code code, std::uint8_t unit_shift) const;
};

std::span<const LatticeType> lattice_types();

/// 1 or -1 for each of four signs.
inline constexpr auto kLatticeSigns = [] {
  std::array<std::array<float, 4>, 16> all{};
  for (std::size_t bits = 0; bits < all.size(); ++bits) {
    for (std::size_t i = 0; i < 4; ++i) all[bits][i] = (bits >> i & 1) != 0 ? -1.0f : 1.0f;
  }
  return all;
}();

inline std::array<float, 8> LatticeType::values(Code code, std::uint8_t unit_shift) const {
  const auto bits = static_cast<unsigned>(code);
  const std::uint16_t digits = codebook[bits & 0xFFFF];
  const std::array<float, 4>& low = halves[digits & 0xFF];
  const std::array<float, 4>& high = halves[digits >> 8];
  std::array<float, 8> v;
  for (std::size_t i = 0; i < 4; ++i) {
    v[i] = dims == 8 || i < 2 ? low[i] : high[i - 2];
    v[4 + i] = dims == 8 ? high[i] : 0;
  }
  const float step = ((bits >> 16 | unit_shift) & 1) != 0 ? -shift : shift;
  for (std::size_t i = 0; i < 8; ++i)
    v[i] = shift != 0 ? v[i] + step : v[i] * kLatticeSigns[bits >> (i < 4 ? 16 : 20) & 15][i % 4];
  return v;
}

/// Trial scales of all cells at once, at most.
inline constexpr std::size_t kLatticeTrials = 384;

/// In what costs are compared.
enum class LatticeCosts {
  exact,  ///< FP32
  fine,  ///< whole numbers of 16 bits: entries may be off by a few ten thousandths of a cell's cost
  rough,  ///< of 8 bits: a hundredth
};

/// What 1 stands for in whole numbers, as a share of scale^2 times the cell's importance. Each of a
/// cell's weights, and its turn, is off by a half at most.
inline float lattice_unit(const LatticeType& type, LatticeCosts costs) {
  const float step = type.levels[1] - type.levels[0];
  const float spread = type.dims == 4 ? 4 : 1;  // of few weights one matters more, and turns cost
  const float reach = spread * (type.signs == LatticeSigns::even ? 2 : 1) * step * step;
  return costs == LatticeCosts::rough ? reach * 0.5f / 255 : reach * 16 / 65535;
}

/// Of each cell or unit.
template <class T>
using LatticePerCell = std::array<T, kLatticeCells>;
template <class T>
using LatticePerUnit = std::array<T, kLatticeUnits>;

/// Cells side by side, each at several scales, so that vector code takes many at once. Trial t of
/// cell c is at t stride() + c.
struct LatticeCells {
  std::size_t count;
  std::size_t trials = 1;
  alignas(64) std::array<LatticePerCell<float>, 8> x;  ///< [weight][cell]: |w|, or w
  alignas(64) std::array<LatticePerCell<float>, 8> h;
  /// Not 0: one sign of the cell must be wrong; the entry is the best for the best sign to turn.
  alignas(64) LatticePerCell<float> turn;
  alignas(64) LatticePerCell<std::int32_t> minus;  ///< bit i: weight i is negative
  alignas(64) std::array<float, kLatticeTrials> scale{};
  alignas(64) std::array<float, kLatticeTrials> shift{};       ///< of IQ1
  alignas(64) std::array<float, kLatticeTrials> cost;          ///< out: sum h (x - scale v)^2
  alignas(64) std::array<std::int32_t, kLatticeTrials> entry;  ///< out: one of the best
  /// Out, of 4 weights where signs turn: the same without a turn.
  alignas(64) std::array<float, kLatticeTrials> unturned_cost;
  alignas(64) std::array<std::int32_t, kLatticeTrials> unturned_entry;

  std::size_t stride() const { return (count + 15) / 16 * 16; }
};

/// What codes are chosen for, cell by cell: count, x, h, minus and turn. w, h: whole cells.
void lattice_load(const LatticeType& type, Floats w, Floats h, LatticeCells& cells) noexcept;

/// What the best entry of each cell costs at its scale, and with `entries` which that is. False: a
/// cost was beyond what the whole numbers hold, and is larger than said.
bool lattice_nearest(const LatticeType& type, LatticeCells& cells, LatticeCosts costs,
                     bool entries) noexcept;

/// Of IQ1: what that costs, estimated (lattice_estimate.cc).
void lattice_estimate(const LatticeType& type, LatticeCells& cells) noexcept;
/// Of IQ1: what it would cost if every point of levels were an entry.
void lattice_least(LatticeCells& cells) noexcept;

/// Of each unit.
struct LatticePowers {
  alignas(64) LatticePerUnit<float> zero, two, four;  ///< sums of h, h w^2, h w^4
  LatticePerUnit<float> largest;                      ///< |w|
  /// Near the best scale of a unit alone, or 0: large weights pull it up. Root mean square times
  /// (four zero / two^2)^(3/8), over the type's typical level.
  alignas(64) LatticePerUnit<float> usual;
};
void lattice_powers(const LatticeType& type, const LatticeCells& cells,
                    LatticePowers& out) noexcept;

/// Sums over a unit's codes.
struct LatticeMoments {
  float wv;     ///< sum h w v
  float vv;     ///< sum h v^2
  float error;  ///< sum h (w - scale v)^2
};
/// w, h: of units.size() units; code, shift: as in LatticeRecord.
void lattice_moments(const LatticeType& type, Floats w, Floats h, const Code* code,
                     const std::uint8_t* shift, const float* scale,
                     std::span<LatticeMoments> units) noexcept;

/// What scales units want, and what it costs to miss them: sum weight (d multiplier(l) - scale)^2.
struct LatticeWish {
  alignas(64) LatticePerUnit<float> scale;
  alignas(64) LatticePerUnit<float> weight;
};
/// The l nearest to the wish at d, and least squares of d for them: sums weight m scale and weight
/// m^2, m = 2 l + 1; and what they cost.
struct LatticeLevels {
  alignas(64) LatticePerUnit<std::int32_t> level;
  float up, down, cost;
};
void lattice_levels(const LatticeType& type, const LatticeWish& wish, float d,
                    LatticeLevels& out) noexcept;

struct LatticeParams {
  LatticeRecord record;
  /// What the record's codes were chosen for.
  std::array<float, kLatticeBlock> w;
  std::array<float, kLatticeBlock> h;
};

/// Fits d and every unit's scale; codes come with them. w, h: 256, h may be empty.
void lattice_fit(const LatticeType& type, LatticeParams& p, Floats w, Floats h, Fit fit) noexcept;
/// Fits unit u anew if its weights aren't those that the block was fitted to.
void lattice_fit_unit(const LatticeType& type, LatticeParams& p, std::size_t u, Floats w) noexcept;
/// The best codes of some whole cells of one unit, in LatticeRecord's form.
void lattice_encode(const LatticeType& type, const LatticeParams& p, std::size_t j, Floats w,
                    std::span<Code> codes) noexcept;

}  // namespace zp
