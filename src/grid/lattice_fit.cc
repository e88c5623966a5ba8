// Fitting IQ1, IQ2 and IQ3 to weights.
//
// Exact: the codes at given scales, the choice of turned signs and shifts among them; with d given,
// a unit that is fitted alone tries every l. Heuristic: which d and which l are tried for a block.
// A raster of scales for each unit alone, improved by least squares, says what scale s it wants and
// how much missing it costs, D (s' - s)^2 with D = sum h v^2; of the values of d that put the
// largest unit's scale on one of the upper l, the best by that measure is tried with every unit's l
// and its neighbours; then d is fitted to the codes by least squares and the neighbours
// tried again. The result is never worse than by range.
#include <algorithm>
#include <bit>
#include <cmath>

#include "grid/lattice.h"
#include "number/half.h"

namespace zp {
namespace {

constexpr float kFp16Largest = 65504.0f;

struct Trial {
  std::array<Code, kLatticeCells> code{};
  std::array<std::uint8_t, kLatticeUnits> shift{};
  std::array<double, kLatticeUnits> cost{};
};

// Weights and importance of some whole cells, and what their codes are chosen by.
struct Part {
  const LatticeType& type;
  Floats w;
  Floats h;
  LatticeCells cells;
  std::array<unsigned, kLatticeCells> minus{};  ///< of each cell: which weights are negative

  Part(const LatticeType& t, Floats weights, Floats importance)
      : type(t), w(weights), h(importance) {
    cells.count = w.size() / type.dims;
    for (std::size_t c = 0; c < cells.count; ++c) {
      for (std::size_t i = 0; i < type.dims; ++i) {
        const float x = w[c * type.dims + i];
        cells.x[i][c] = type.shift == 0 ? std::fabs(x) : x;
        cells.h[i][c] = h[c * type.dims + i];
        minus[c] |= static_cast<unsigned>(x < 0) << i;
      }
    }
  }

  std::size_t cells_of_unit() const { return type.unit / type.dims; }
  std::size_t units() const { return (w.size() + type.unit - 1) / type.unit; }
  void set_scale(std::size_t u, float scale) {
    const std::size_t n = cells_of_unit();
    std::fill_n(cells.scale.begin() + static_cast<std::ptrdiff_t>(u * n),
                std::min(n, cells.count - u * n), scale);
  }
};

bool odd(unsigned bits) { return (std::popcount(bits) & 1) != 0; }

// The signs with the one turned that costs least under the entry.
unsigned turned(const Part& part, std::size_t c, std::int32_t entry, unsigned bits) {
  const std::array<float, 8> v = part.type.values(entry, 0);
  std::size_t best = 0;
  float least = 0;
  for (std::size_t i = 0; i < part.type.dims; ++i) {
    const float cost = part.cells.h[i][c] * part.cells.x[i][c] * v[i];
    if (i > 0 && cost >= least) continue;
    best = i;
    least = cost;
  }
  return bits ^ 1u << best;
}

Code join(std::int32_t entry, unsigned bits) { return entry | static_cast<Code>(bits << 16); }

void add_costs(const Part& part, const std::array<float, kLatticeCells>& cost, Trial& out) {
  const std::size_t n = part.cells_of_unit();
  out.cost.fill(0);
  for (std::size_t c = 0; c < part.cells.count; ++c) out.cost[c / n] += cost[c];
}

enum class Want { costs, codes };

void assign_cells(Part& part, bool even, Want want, Trial& out) {
  LatticeCells& cells = part.cells;
  for (std::size_t c = 0; c < cells.count; ++c)
    cells.turn[c] = even && odd(part.minus[c]) ? 1.0f : 0.0f;
  lattice_nearest(part.type, cells, want == Want::codes);
  add_costs(part, cells.cost, out);
  if (want == Want::costs) return;
  for (std::size_t c = 0; c < cells.count; ++c) {
    const unsigned bits = part.minus[c];
    out.code[c] =
        join(cells.entry[c], cells.turn[c] != 0 ? turned(part, c, cells.entry[c], bits) : bits);
  }
}

// Signs are even over two cells: the one that turns a sign for less does.
void assign_pairs(Part& part, Want want, Trial& out) {
  LatticeCells& cells = part.cells;
  cells.turn.fill(1);
  lattice_nearest(part.type, cells, want == Want::codes);
  std::array<float, kLatticeCells> cost = cells.unturned_cost;
  const std::array<std::int32_t, kLatticeCells>& entry = cells.unturned_entry;
  for (std::size_t c = 0; c < cells.count; ++c) out.code[c] = join(entry[c], part.minus[c]);
  for (std::size_t c = 0; c < cells.count; c += 2) {
    if (odd(part.minus[c]) == odd(part.minus[c + 1])) continue;
    const bool second = cost[c] + cells.cost[c + 1] < cells.cost[c] + cost[c + 1];
    const std::size_t t = second ? c + 1 : c;
    cost[t] = cells.cost[t];
    if (want == Want::codes)
      out.code[t] = join(cells.entry[t], turned(part, t, cells.entry[t], part.minus[t]));
  }
  add_costs(part, cost, out);
}

// shift: of each unit, or nullptr to choose it.
void assign_shifts(Part& part, const std::uint8_t* shift, Want want, Trial& out) {
  LatticeCells& cells = part.cells;
  const std::size_t n = part.cells_of_unit();
  cells.turn.fill(0);
  cells.shift.fill(part.type.shift);
  lattice_nearest(part.type, cells, want == Want::codes);
  std::array<float, kLatticeCells> cost = cells.cost;
  for (std::size_t c = 0; c < cells.count; ++c) out.code[c] = cells.entry[c];
  add_costs(part, cost, out);
  cells.shift.fill(-part.type.shift);
  lattice_nearest(part.type, cells, want == Want::codes);
  const bool by_cell = part.type.signs == LatticeSigns::cell_shift;
  Trial below;
  add_costs(part, cells.cost, below);
  for (std::size_t c = 0; c < cells.count; ++c) {
    const std::size_t u = c / n;
    const bool take = by_cell            ? cells.cost[c] < cost[c]
                      : shift != nullptr ? shift[u] != 0
                                         : below.cost[u] < out.cost[u];
    if (!by_cell) out.shift[u] = take ? 1 : 0;
    if (!take) continue;
    cost[c] = cells.cost[c];
    out.code[c] = join(cells.entry[c], by_cell ? 1 : 0);
  }
  add_costs(part, cost, out);
}

// The best codes at the scales that are set, or what they would cost alone.
void assign(Part& part, const std::uint8_t* shift, Want want, Trial& out) {
  switch (part.type.signs) {
    case LatticeSigns::free:
      return assign_cells(part, false, want, out);
    case LatticeSigns::even:
      return part.type.dims == 8 ? assign_cells(part, true, want, out)
                                 : assign_pairs(part, want, out);
    case LatticeSigns::unit_shift:
    case LatticeSigns::cell_shift:
      return assign_shifts(part, shift, want, out);
  }
}

// What least squares needs of a unit's codes.
struct Moments {
  double wv = 0;  ///< sum h w v
  double vv = 0;  ///< sum h v^2
};

Moments moments(const Part& part, const Trial& trial, std::size_t u) {
  const std::size_t dims = part.type.dims;
  const std::size_t n = part.cells_of_unit();
  Moments m;
  for (std::size_t c = u * n; c < (u + 1) * n; ++c) {
    const std::array<float, 8> values = part.type.values(trial.code[c], trial.shift[u]);
    for (std::size_t i = 0; i < dims; ++i) {
      const double v = values[i];
      const double hv = part.h[c * dims + i] * v;
      m.wv += hv * part.w[c * dims + i];
      m.vv += hv * v;
    }
  }
  return m;
}

// A block's d, each unit's l, and what came of them.
struct Candidate {
  std::uint16_t d = 0;
  std::array<int, kLatticeUnits> level{};
  Trial trial;
  double cost = 0;
};

float scale_of(const LatticeType& type, std::uint16_t d, int level) {
  return fp16_to_float(d) * type.multiplier(level);
}

std::uint16_t stored(double d) {
  const float f = static_cast<float>(d);
  return float_to_fp16(std::isfinite(f) ? std::clamp(f, 0.0f, kFp16Largest) : 0.0f);
}

int nearest_level(const LatticeType& type, std::uint16_t d, double scale) {
  const double step = 2.0 * fp16_to_float(d) * type.factor;
  if (!(step > 0)) return 0;
  return static_cast<int>(
      std::clamp(std::nearbyint(scale / step - 0.5), 0.0, static_cast<double>(type.scales - 1)));
}

double sum_of(const Part& part, const Trial& trial) {
  double sum = 0;
  for (std::size_t u = 0; u < part.units(); ++u) sum += trial.cost[u];
  return sum;
}

// Codes at the candidate's scales; with neighbours, each unit's l may move by one.
void complete(Part& part, Candidate& c, bool neighbours) {
  const std::array<int, kLatticeUnits> start = c.level;
  const auto set_scales = [&](const auto& level) {
    for (std::size_t u = 0; u < part.units(); ++u)
      part.set_scale(u, scale_of(part.type, c.d, level(u)));
  };
  std::array<double, kLatticeUnits> least{};
  for (const int step : {0, -1, 1}) {
    if (!neighbours) break;
    const auto level = [&](std::size_t u) {
      return std::clamp(start[u] + step, 0, part.type.scales - 1);
    };
    Trial trial;
    set_scales(level);
    assign(part, nullptr, Want::costs, trial);
    for (std::size_t u = 0; u < part.units(); ++u) {
      if (step != 0 && trial.cost[u] >= least[u]) continue;
      c.level[u] = level(u);
      least[u] = trial.cost[u];
    }
  }
  set_scales([&](std::size_t u) { return c.level[u]; });
  assign(part, nullptr, Want::codes, c.trial);
  c.cost = sum_of(part, c.trial);
}

// What the candidate's codes would cost, alone.
void price(Part& part, Candidate& c) {
  for (std::size_t u = 0; u < part.units(); ++u)
    part.set_scale(u, scale_of(part.type, c.d, c.level[u]));
  Trial trial;
  assign(part, nullptr, Want::costs, trial);
  c.cost = sum_of(part, trial);
}

// d and every l; no codes yet.
Candidate by_range(const Part& part) {
  const LatticeType& type = part.type;
  std::array<double, kLatticeUnits> scale{};
  double largest = 0;
  for (std::size_t u = 0; u < part.units(); ++u) {
    for (std::size_t i = 0; i < type.unit; ++i)
      scale[u] = std::max(scale[u], std::fabs(static_cast<double>(part.w[u * type.unit + i])));
    scale[u] /= type.top();
    largest = std::max(largest, scale[u]);
  }
  Candidate c;
  c.d = stored(largest / type.multiplier(type.scales - 1));
  for (std::size_t u = 0; u < part.units(); ++u) c.level[u] = nearest_level(type, c.d, scale[u]);
  return c;
}

// What each unit alone would have, and what it costs to miss it.
struct Wish {
  std::array<double, kLatticeUnits> scale{};
  std::array<double, kLatticeUnits> weight{};
};

Wish wishes(Part& part) {
  constexpr std::array kRaster = {0.8f, 1.0f, 1.25f};
  const std::size_t units = part.units();
  std::array<float, kLatticeUnits> start{};
  for (std::size_t u = 0; u < units; ++u) {
    double hww = 0;
    double sum = 0;
    for (std::size_t i = u * part.type.unit; i < (u + 1) * part.type.unit; ++i) {
      hww += static_cast<double>(part.h[i]) * part.w[i] * part.w[i];
      sum += part.h[i];
    }
    start[u] = static_cast<float>(std::sqrt(sum > 0 ? hww / sum : 0.0)) / part.type.typical;
  }
  Wish wish;
  std::array<double, kLatticeUnits> least{};
  for (const float f : kRaster) {
    Trial trial;
    for (std::size_t u = 0; u < units; ++u) part.set_scale(u, f * start[u]);
    assign(part, nullptr, Want::costs, trial);
    for (std::size_t u = 0; u < units; ++u) {
      if (f != kRaster[0] && trial.cost[u] >= least[u]) continue;
      least[u] = trial.cost[u];
      wish.scale[u] = static_cast<double>(f) * start[u];
    }
  }
  for (int round = 0; round < 2; ++round) {
    Trial trial;
    for (std::size_t u = 0; u < units; ++u) part.set_scale(u, static_cast<float>(wish.scale[u]));
    assign(part, nullptr, Want::codes, trial);
    for (std::size_t u = 0; u < units; ++u) {
      const Moments m = moments(part, trial, u);
      wish.scale[u] = m.vv > 0 ? std::max(0.0, m.wv / m.vv) : 0;
      wish.weight[u] = m.vv;
    }
  }
  return wish;
}

// Of the values of d whose upper l meet the largest wish, d fitted to the levels they give, the
// first that misses the wishes for least.
Candidate candidate(const Part& part, const Wish& wish) {
  const LatticeType& type = part.type;
  const double largest = *std::max_element(wish.scale.begin(), wish.scale.end());
  Candidate best;
  for (int top = type.scales - 1; top >= type.scales / 2; --top) {
    Candidate c;
    double d = largest / type.multiplier(top);
    for (int round = 0; round < 2; ++round) {
      double up = 0;
      double down = 0;
      c.d = stored(d);
      c.cost = 0;
      for (std::size_t u = 0; u < part.units(); ++u) {
        c.level[u] = nearest_level(type, c.d, wish.scale[u]);
        const double m = type.multiplier(c.level[u]);
        const double miss = scale_of(type, c.d, c.level[u]) - wish.scale[u];
        c.cost += wish.weight[u] * miss * miss;
        up += wish.weight[u] * m * wish.scale[u];
        down += wish.weight[u] * m * m;
      }
      if (down > 0) d = up / down;
    }
    if (top == type.scales - 1 || c.cost < best.cost) best = c;
  }
  return best;
}

Candidate by_search(Part& part) {
  Candidate range = by_range(part);
  price(part, range);
  Candidate best = candidate(part, wishes(part));
  complete(part, best, true);
  if (best.cost >= range.cost) {
    complete(part, range, false);
    best = range;
  }
  double up = 0;
  double down = 0;
  for (std::size_t u = 0; u < part.units(); ++u) {
    const Moments m = moments(part, best.trial, u);
    const double multiplier = part.type.multiplier(best.level[u]);
    up += multiplier * m.wv;
    down += multiplier * multiplier * m.vv;
  }
  Candidate refitted = best;
  if (down > 0) refitted.d = stored(up / down);
  if (refitted.d != best.d) {
    complete(part, refitted, true);
    if (refitted.cost < best.cost) best = refitted;
  }
  return best;
}

// Importance with mean 1: costs then neither overflow nor vanish. All one when there is none.
void normalize(Floats h, std::array<float, kLatticeBlock>& out) {
  double sum = 0;
  for (const float x : h) sum += x;
  const double mean = h.empty() ? 0 : sum / static_cast<double>(h.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = mean > 0 ? static_cast<float>(h[i] / mean) : 1.0f;
}

}  // namespace

void lattice_fit(const LatticeType& type, LatticeParams& p, Floats w, Floats h, Fit fit) noexcept {
  std::copy(w.begin(), w.end(), p.w.begin());
  normalize(h, p.h);
  Part part(type, p.w, p.h);
  Candidate c;
  if (fit == Fit::search) {
    c = by_search(part);
  } else {
    c = by_range(part);
    complete(part, c, false);
  }
  p.record.d = c.d;
  p.record.code = c.trial.code;
  p.record.shift = c.trial.shift;
  for (std::size_t u = 0; u < part.units(); ++u)
    p.record.level[u] = static_cast<std::uint8_t>(c.level[u]);
}

void lattice_fit_unit(const LatticeType& type, LatticeParams& p, std::size_t u, Floats w) noexcept {
  float* known = p.w.data() + u * type.unit;
  if (std::equal(w.begin(), w.end(), known)) return;
  std::copy(w.begin(), w.end(), known);
  Part part(type, Floats(known, type.unit), Floats(p.h.data() + u * type.unit, type.unit));
  double least = 0;
  for (int level = 0; level < type.scales; ++level) {
    Trial trial;
    part.set_scale(0, scale_of(type, p.record.d, level));
    assign(part, nullptr, Want::costs, trial);
    if (level > 0 && trial.cost[0] >= least) continue;
    least = trial.cost[0];
    p.record.level[u] = static_cast<std::uint8_t>(level);
  }
  Trial best;
  part.set_scale(0, scale_of(type, p.record.d, p.record.level[u]));
  assign(part, nullptr, Want::codes, best);
  p.record.shift[u] = best.shift[0];
  std::copy_n(best.code.begin(), part.cells_of_unit(),
              p.record.code.begin() + static_cast<std::ptrdiff_t>(u * part.cells_of_unit()));
}

void lattice_encode(const LatticeType& type, const LatticeParams& p, std::size_t j, Floats w,
                    std::span<Code> codes) noexcept {
  const std::size_t cells = w.size() / type.dims;
  if (std::equal(w.begin(), w.end(), p.w.begin() + static_cast<std::ptrdiff_t>(j))) {
    std::copy_n(p.record.code.begin() + static_cast<std::ptrdiff_t>(j / type.dims), cells,
                codes.begin());
    return;
  }
  Part part(type, w, Floats(p.h).subspan(j, w.size()));
  const std::size_t u = j / type.unit;
  part.set_scale(0, scale_of(type, p.record.d, p.record.level[u]));
  Trial trial;
  assign(part, &p.record.shift[u], Want::codes, trial);
  std::copy_n(trial.code.begin(), cells, codes.begin());
}

}  // namespace zp
