// Some whole cells of a block at trial scales (lattice.h): what their best codes cost under the
// type's rules for signs and shifts, and these codes.
#pragma once

#include <algorithm>
#include <bit>

#include "grid/lattice.h"

namespace zp {

/// Weights and importance of some whole cells, and what their codes are chosen by.
struct LatticePart {
  const LatticeType& type;
  Floats w;
  Floats h;
  std::size_t cells_of_unit = type.unit / type.dims;
  std::size_t units = (w.size() + type.unit - 1) / type.unit;
  std::size_t kinds = 1;  ///< trials of the cells for one of ours: 2 with both shifts
  LatticeCells cells;

  LatticePart(const LatticeType& t, Floats weights, Floats importance)
      : type(t), w(weights), h(importance) {
    lattice_load(type, w, h, cells);
    if (type.shift == 0) return;
    kinds = 2;
    const std::size_t stride = cells.stride();
    for (std::size_t at = 0; at + stride <= kLatticeTrials; at += stride)
      std::fill_n(cells.shift.data() + at, stride, at / stride % 2 == 0 ? type.shift : -type.shift);
  }

  /// Signs are even over two cells.
  bool pairs() const { return type.signs == LatticeSigns::even && type.dims == 4; }

  std::size_t first_cell(std::size_t trial) const { return trial * kinds * cells.stride(); }
  /// Trials with the scale of one after another.
  void set_trials(std::size_t trials) { cells.trials = trials * kinds; }
  void set_scales(std::size_t trial, const LatticePerUnit<float>& scale) {
    const int log2 = std::countr_zero(cells_of_unit);
    float* to = cells.scale.data() + first_cell(trial);
    for (std::size_t c = 0; c < cells.count; ++c) to[c] = scale[c >> log2];
    if (kinds == 2) std::copy_n(to, cells.count, to + cells.stride());
  }
};

/// What the best codes of one trial cost, and which they are of the two kinds that are compared.
struct LatticePicked {
  LatticePerUnit<float> cost{};
  LatticePerUnit<std::uint8_t> shift{};
  LatticePerCell<std::uint8_t> second{};  ///< 1: with a sign turned, or with the negative shift
};

struct LatticeCodes {
  LatticePerCell<Code> code{};
  LatticePerUnit<std::uint8_t> shift{};
};

/// shift: of each unit, or nullptr to choose it.
LatticePicked lattice_pick(const LatticePart& part, std::size_t trial, const std::uint8_t* shift);
/// The best entries at the scales of the only trial.
void lattice_find_entries(LatticePart& part, LatticeCosts costs);
/// The codes of these entries.
void lattice_take_codes(const LatticePart& part, const LatticePicked& picked, LatticeCodes& out);

}  // namespace zp
