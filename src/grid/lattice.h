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

struct LatticeType {
  std::string_view name;
  std::size_t dims;                         ///< weights of a cell, 4 or 8
  std::span<const std::uint16_t> codebook;  ///< lattice_codebooks.inc
  const LatticePlan& (*plan)();             ///< of the codebook; made when first asked for
  std::array<float, 8> levels;              ///< 3 of them for 8 weights, 8 for 4
  std::size_t unit;                         ///< weights that share l
  int scales;                               ///< values of l
  float factor;
  LatticeSigns signs;
  float shift;    ///< 0 but for IQ1
  float typical;  ///< root mean square of what codes decode to at scale 1
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

/// Cells side by side, so that vector code takes many at once.
struct LatticeCells {
  std::size_t count = 0;
  alignas(64) std::array<std::array<float, kLatticeCells>, 8> x{};  ///< [weight][cell]: |w|, or w
  alignas(64) std::array<std::array<float, kLatticeCells>, 8> h{};
  alignas(64) std::array<float, kLatticeCells> scale{};
  alignas(64) std::array<float, kLatticeCells> shift{};
  /// Not 0: one sign of the cell must be wrong; the entry is the best for the best sign to turn.
  alignas(64) std::array<float, kLatticeCells> turn{};
  alignas(64) std::array<float, kLatticeCells> cost{};          ///< out: sum h (x - scale v)^2
  alignas(64) std::array<std::int32_t, kLatticeCells> entry{};  ///< out: one of the best
  /// Out, of 4 weights where signs turn: the same without a turn.
  alignas(64) std::array<float, kLatticeCells> unturned_cost{};
  alignas(64) std::array<std::int32_t, kLatticeCells> unturned_entry{};
};

/// What the best entry of each cell costs at its scale, and with `entries` which that is: exact.
void lattice_nearest(const LatticeType& type, LatticeCells& cells, bool entries) noexcept;

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
