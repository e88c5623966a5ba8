#include "grid/lattice_part.h"

#include <bit>

namespace zp {
namespace {

// Of two cells the one turns a sign that does it for less.
void pick_pairs(const LatticePart& part, std::size_t at, LatticePicked& out) {
  const float* turned = part.cells.cost.data() + at;
  const float* straight = part.cells.unturned_cost.data() + at;
  const std::size_t n = part.cells_of_unit;
  for (std::size_t c = 0; c < part.cells.count; c += 2) {
    const bool even =
        std::popcount(static_cast<unsigned>(part.cells.minus[c] << 4 | part.cells.minus[c + 1])) %
            2 ==
        0;
    const float first = turned[c] + straight[c + 1];
    const float other = straight[c] + turned[c + 1];
    out.second[c] = !even && other >= first ? 1 : 0;
    out.second[c + 1] = !even && other < first ? 1 : 0;
    out.cost[c / n] += even ? straight[c] + straight[c + 1] : std::min(first, other);
  }
}

// Each cell takes the better shift.
void pick_cell_shifts(const LatticePart& part, std::size_t at, LatticePicked& out) {
  const float* above = part.cells.cost.data() + at;
  const float* below = above + part.cells.stride();
  LatticePerCell<float> least;
  for (std::size_t c = 0; c < part.cells.count; ++c) least[c] = std::min(above[c], below[c]);
  for (std::size_t c = 0; c < part.cells.count; ++c) out.second[c] = below[c] < above[c] ? 1 : 0;
  // IQ1_M, the one type of this kind, has two cells in a unit.
  for (std::size_t u = 0; u < part.units; ++u) out.cost[u] = least[2 * u] + least[2 * u + 1];
}

// shift: of each unit, or nullptr to choose it.
void pick_unit_shifts(const LatticePart& part, std::size_t at, const std::uint8_t* shift,
                      LatticePicked& out) {
  const int log2 = std::countr_zero(part.cells_of_unit);
  const float* above = part.cells.cost.data() + at;
  const float* below = above + part.cells.stride();
  LatticePerUnit<float> other{};
  for (std::size_t c = 0; c < part.cells.count; ++c) {
    out.cost[c >> log2] += above[c];
    other[c >> log2] += below[c];
  }
  for (std::size_t u = 0; u < part.units; ++u) {
    out.shift[u] = shift != nullptr ? shift[u] : other[u] < out.cost[u] ? 1 : 0;
    if (out.shift[u] != 0) out.cost[u] = other[u];
  }
  for (std::size_t c = 0; c < part.cells.count; ++c) out.second[c] = out.shift[c >> log2];
}

// The signs with the one turned that costs least under the entry.
unsigned turned(const LatticePart& part, std::size_t c, std::int32_t entry) {
  const std::array<float, 8> v = part.type.values(entry, 0);
  std::size_t best = 0;
  float least = 0;
  for (std::size_t i = 0; i < part.type.dims; ++i) {
    const float cost = part.cells.h[i][c] * part.cells.x[i][c] * v[i];
    if (i > 0 && cost >= least) continue;
    best = i;
    least = cost;
  }
  return static_cast<unsigned>(part.cells.minus[c]) ^ 1u << best;
}

}  // namespace

LatticePicked lattice_pick(const LatticePart& part, std::size_t trial, const std::uint8_t* shift) {
  LatticePicked out;
  const std::size_t at = part.first_cell(trial);
  if (part.type.signs == LatticeSigns::cell_shift) {
    pick_cell_shifts(part, at, out);
  } else if (part.type.signs == LatticeSigns::unit_shift) {
    pick_unit_shifts(part, at, shift, out);
  } else if (part.pairs()) {
    pick_pairs(part, at, out);
  } else {
    const std::size_t n = part.cells_of_unit;
    for (std::size_t u = 0, c = 0; c < part.cells.count; ++u) {
      for (const std::size_t end = std::min(c + n, part.cells.count); c < end; ++c) {
        out.cost[u] += part.cells.cost[at + c];
        out.second[c] = part.cells.turn[c] != 0 ? 1 : 0;
      }
    }
  }
  return out;
}

void lattice_find_entries(LatticePart& part, LatticeCosts costs) {
  if (!lattice_nearest(part.type, part.cells, costs, true))
    lattice_nearest(part.type, part.cells, LatticeCosts::exact, true);
}

void lattice_take_codes(const LatticePart& part, const LatticePicked& picked, LatticeCodes& out) {
  const LatticeCells& cells = part.cells;
  out.shift = picked.shift;
  const bool by_cell = part.type.signs == LatticeSigns::cell_shift;
  for (std::size_t c = 0; c < cells.count; ++c) {
    const bool second = picked.second[c] != 0;
    auto bits = static_cast<unsigned>(cells.minus[c]);
    std::int32_t entry = cells.entry[c];
    if (part.type.shift != 0) {
      bits = by_cell && second ? 1 : 0;
      entry = cells.entry[(second ? cells.stride() : 0) + c];
    } else if (second) {
      bits = turned(part, c, entry);
    } else if (part.pairs()) {
      entry = cells.unturned_entry[c];
    }
    out.code[c] = entry | static_cast<Code>(bits << 16);
  }
}

}  // namespace zp
