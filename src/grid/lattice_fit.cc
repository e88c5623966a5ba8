// Fitting IQ1, IQ2 and IQ3 to weights.
//
// Exact: with d given, a unit that is fitted alone tries every l and takes the best codes of all,
// turned signs and shifts among them. Heuristic: what a block gets. A raster of scales around the
// usual one for the spread of its weights says what scale s each unit alone wants; of the values of
// d that put the largest unit's scale on one of the upper l, the best by D (s' - s)^2, with
// D = sum h w^2 / s^2, is taken; then every unit's l or one of its neighbours, and shifts. So far
// costs are told apart to a hundredth of a cell's (LatticeCosts::rough). Codes are the best at
// these scales and shifts but for ties within a few ten thousandths (fine); last d moves to their
// least squares. What was found so is kept where it costs less than the range, by sums over all
// weights.
#include <algorithm>
#include <bit>
#include <cmath>

#include "grid/lattice.h"
#include "number/half.h"

namespace zp {
namespace {

constexpr float kFp16Largest = 65504.0f;

// Weights and importance of some whole cells, and what their codes are chosen by.
struct Part {
  const LatticeType& type;
  Floats w;
  Floats h;
  std::size_t kinds = 1;  ///< trials of the cells for one of ours: 2 with both shifts
  LatticeCells cells;

  Part(const LatticeType& t, Floats weights, Floats importance)
      : type(t), w(weights), h(importance) {
    lattice_load(type, w, h, cells);
    open_shifts();
  }

  /// Signs are even over two cells.
  bool pairs() const { return type.signs == LatticeSigns::even && type.dims == 4; }
  std::size_t cells_of_unit() const { return type.unit / type.dims; }
  std::size_t units() const { return (w.size() + type.unit - 1) / type.unit; }

  std::size_t first_cell(std::size_t trial) const { return trial * kinds * cells.stride(); }
  /// Trials with the scale of one after another.
  void set_trials(std::size_t trials) { cells.trials = trials * kinds; }
  void set_scales(std::size_t trial, const LatticePerUnit<float>& scale) {
    const std::size_t n = cells_of_unit();
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      float* to = cells.scale.data() + first_cell(trial) + kind * cells.stride();
      for (std::size_t c = 0, u = 0; c < cells.count; ++u) {
        for (const std::size_t end = std::min(c + n, cells.count); c < end; ++c) to[c] = scale[u];
      }
    }
  }
  /// Of IQ1: every trial with the positive and the negative one.
  void open_shifts() {
    if (type.shift == 0) return;
    kinds = 2;
    for (std::size_t at = 0; at < kLatticeTrials; at += cells.stride())
      std::fill_n(cells.shift.data() + at, std::min(cells.stride(), kLatticeTrials - at),
                  at / cells.stride() % 2 == 0 ? type.shift : -type.shift);
  }
  /// Of IQ1: one trial, with these.
  void settle_shifts(const LatticePerCell<std::uint8_t>& negative) {
    kinds = 1;
    for (std::size_t c = 0; type.shift != 0 && c < cells.count; ++c)
      cells.shift[c] = negative[c] != 0 ? -type.shift : type.shift;
  }
};

// What the best codes of one trial cost, and which they are of the two kinds that are compared.
struct Picked {
  LatticePerUnit<float> cost{};
  LatticePerUnit<std::uint8_t> shift{};
  LatticePerCell<std::uint8_t> second{};  ///< 1: with a sign turned, or with the negative shift
};

// Of two cells the one turns a sign that does it for less.
void pick_pairs(const Part& part, std::size_t at, Picked& out) {
  const float* turned = part.cells.cost.data() + at;
  const float* straight = part.cells.unturned_cost.data() + at;
  const std::size_t n = part.cells_of_unit();
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

// shift: of each unit, or nullptr to choose it.
void pick_shifts(const Part& part, std::size_t at, const std::uint8_t* shift, Picked& out) {
  const std::size_t n = part.cells_of_unit();
  const float* above = part.cells.cost.data() + at;
  const float* below = above + part.cells.stride();
  for (std::size_t u = 0; u < part.units(); ++u) {
    const std::size_t end = std::min((u + 1) * n, part.cells.count);
    float sum_above = 0;
    float sum_below = 0;
    float sum = 0;
    for (std::size_t c = u * n; c < end; ++c) {
      sum_above += above[c];
      sum_below += below[c];
      sum += std::min(above[c], below[c]);
      out.second[c] = below[c] < above[c] ? 1 : 0;
    }
    out.cost[u] = sum;
    if (part.type.signs == LatticeSigns::cell_shift) continue;
    out.shift[u] = shift != nullptr ? shift[u] : sum_below < sum_above ? 1 : 0;
    out.cost[u] = out.shift[u] != 0 ? sum_below : sum_above;
    std::fill(out.second.data() + u * n, out.second.data() + end, out.shift[u]);
  }
}

Picked pick(const Part& part, std::size_t trial, const std::uint8_t* shift) {
  Picked out;
  const std::size_t at = part.first_cell(trial);
  if (part.type.shift != 0) {
    pick_shifts(part, at, shift, out);
  } else if (part.pairs()) {
    pick_pairs(part, at, out);
  } else {
    const std::size_t n = part.cells_of_unit();
    for (std::size_t u = 0, c = 0; c < part.cells.count; ++u) {
      for (const std::size_t end = std::min(c + n, part.cells.count); c < end; ++c) {
        out.cost[u] += part.cells.cost[at + c];
        out.second[c] = part.cells.turn[c] != 0 ? 1 : 0;
      }
    }
  }
  return out;
}

// The signs with the one turned that costs least under the entry.
unsigned turned(const Part& part, std::size_t c, std::int32_t entry) {
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

struct Codes {
  LatticePerCell<Code> code{};
  LatticePerUnit<std::uint8_t> shift{};
};

// The best codes at the scales of the only trial.
void find_entries(Part& part, LatticeCosts costs) {
  if (!lattice_nearest(part.type, part.cells, costs, true))
    lattice_nearest(part.type, part.cells, LatticeCosts::exact, true);
}

void take_codes(const Part& part, const Picked& picked, Codes& out) {
  const LatticeCells& cells = part.cells;
  out.shift = picked.shift;
  const bool by_cell = part.type.signs == LatticeSigns::cell_shift;
  for (std::size_t c = 0; c < cells.count; ++c) {
    const bool second = picked.second[c] != 0;
    auto bits = static_cast<unsigned>(cells.minus[c]);
    std::int32_t entry = cells.entry[c];
    if (part.type.shift != 0) {
      bits = by_cell && second ? 1 : 0;
      entry = cells.entry[(second && part.kinds == 2 ? cells.stride() : 0) + c];
    } else if (second) {
      bits = turned(part, c, entry);
    } else if (part.pairs()) {
      entry = cells.unturned_entry[c];
    }
    out.code[c] = entry | static_cast<Code>(bits << 16);
  }
}

// A block's d, each unit's l, and what came of them.
struct Candidate {
  std::uint16_t d = 0;
  LatticePerUnit<std::int32_t> level{};
  /// Of IQ1: shifts that are settled.
  LatticePerUnit<std::uint8_t> shift{};
  LatticePerCell<std::uint8_t> negative{};
  Codes codes;
  LatticePerUnit<LatticeMoments> moments;
  double cost = 0;
};

float scale_of(const LatticeType& type, std::uint16_t d, int level) {
  return fp16_to_float(d) * type.multiplier(level);
}

LatticePerUnit<float> scales_of(const Part& part, const Candidate& c) {
  LatticePerUnit<float> scale{};
  for (std::size_t u = 0; u < part.units(); ++u) scale[u] = scale_of(part.type, c.d, c.level[u]);
  return scale;
}

std::uint16_t stored(float d) {
  return float_to_fp16(std::isfinite(d) ? std::clamp(d, 0.0f, kFp16Largest) : 0.0f);
}

void sum_up(const Part& part, Candidate& c) {
  const LatticePerUnit<float> scale = scales_of(part, c);
  lattice_moments(part.type, part.w, part.h, c.codes.code.data(), c.codes.shift.data(),
                  scale.data(), std::span(c.moments).first(part.units()));
  c.cost = 0;
  for (std::size_t u = 0; u < part.units(); ++u) c.cost += c.moments[u].error;
}

enum class Shifts { open, settled };

// Codes at the candidate's scales.
void complete(Part& part, LatticeCosts costs, Shifts shifts, Candidate& c) {
  const bool settled = shifts == Shifts::settled && part.type.shift != 0;
  if (settled) part.settle_shifts(c.negative);
  part.set_trials(1);
  part.set_scales(0, scales_of(part, c));
  find_entries(part, costs);
  take_codes(part, settled ? Picked{{}, c.shift, c.negative} : pick(part, 0, nullptr), c.codes);
  sum_up(part, c);
  if (settled) part.open_shifts();
}

// What codes at the candidate's scales cost at least, by the costs of a trial.
double bound_of(const Part& part, const LatticePowers& powers, const Candidate& c,
                std::size_t trial, LatticeCosts costs) {
  const Picked picked = pick(part, trial, nullptr);
  double sum = 0;
  double units = 0;
  for (std::size_t u = 0; u < part.units(); ++u) {
    const double scale = scale_of(part.type, c.d, c.level[u]);
    sum += picked.cost[u];
    units += scale * scale * powers.zero[u];
  }
  const auto halves = static_cast<double>(part.type.dims + 2);  // one to spare
  return sum - units * lattice_unit(part.type, costs) * halves / 2;
}

// The same, with finer costs.
double fine_bound(Part& part, const LatticePowers& powers, const Candidate& c) {
  part.set_trials(1);
  part.set_scales(0, scales_of(part, c));
  lattice_nearest(part.type, part.cells, LatticeCosts::fine, false);
  return bound_of(part, powers, c, 0, LatticeCosts::fine);
}

// Each unit's l may move by one; settles shifts. Returns a bound: `range` costs no less.
double try_neighbours(Part& part, const LatticePowers& powers, const Candidate& range,
                      Candidate& c) {
  constexpr std::array kSteps = {0, -1, 1};
  const LatticePerUnit<std::int32_t> start = c.level;
  const auto level = [&](std::size_t u, int step) {
    return std::clamp(start[u] + step, 0, part.type.scales - 1);
  };
  part.set_trials(kSteps.size() + 1);
  for (std::size_t t = 0; t < kSteps.size(); ++t) {
    LatticePerUnit<float> scale{};
    for (std::size_t u = 0; u < part.units(); ++u)
      scale[u] = scale_of(part.type, c.d, level(u, kSteps[t]));
    part.set_scales(t, scale);
  }
  part.set_scales(kSteps.size(), scales_of(part, range));
  lattice_nearest(part.type, part.cells, LatticeCosts::rough, false);
  const std::size_t n = part.cells_of_unit();
  LatticePerUnit<float> least{};
  for (std::size_t t = 0; t < kSteps.size(); ++t) {
    const Picked picked = pick(part, t, nullptr);
    for (std::size_t u = 0; u < part.units(); ++u) {
      if (t > 0 && picked.cost[u] >= least[u]) continue;
      c.level[u] = level(u, kSteps[t]);
      least[u] = picked.cost[u];
      c.shift[u] = picked.shift[u];
      std::copy_n(picked.second.data() + u * n, n, c.negative.data() + u * n);
    }
  }
  return bound_of(part, powers, range, kSteps.size(), LatticeCosts::rough);
}

// d and every l; no codes yet.
Candidate by_range(const Part& part, const LatticePowers& powers) {
  LatticeWish wish{};
  for (std::size_t u = 0; u < part.units(); ++u)
    wish.scale[u] = powers.largest[u] / part.type.top();
  const float largest = *std::max_element(wish.scale.begin(), wish.scale.end());
  Candidate c;
  c.d = stored(largest / part.type.multiplier(part.type.scales - 1));
  LatticeLevels levels;
  lattice_levels(part.type, wish, fp16_to_float(c.d), levels);
  c.level = levels.level;
  return c;
}

constexpr std::array kRaster = {0.7f, 0.84f, 1.0f, 1.18f, 1.4f};

// The lowest point of the parabola through the raster's point `best` and those beside it.
float between(const std::array<Picked, kRaster.size()>& picked, std::size_t u, std::size_t best) {
  if (best == 0 || best + 1 == kRaster.size()) return kRaster[best];
  const float below = picked[best - 1].cost[u] - picked[best].cost[u];
  const float above = picked[best + 1].cost[u] - picked[best].cost[u];
  if (!(below + above > 0)) return kRaster[best];
  return kRaster[best] +
         (below - above) / (below + above) / 4 * (kRaster[best + 1] - kRaster[best - 1]);
}

LatticeWish wishes(Part& part, const LatticePowers& powers) {
  const LatticePerUnit<float>& start = powers.usual;
  part.set_trials(kRaster.size());
  for (std::size_t t = 0; t < kRaster.size(); ++t) {
    LatticePerUnit<float> scale{};
    for (std::size_t u = 0; u < part.units(); ++u) scale[u] = kRaster[t] * start[u];
    part.set_scales(t, scale);
  }
  lattice_nearest(part.type, part.cells, LatticeCosts::rough, false);
  std::array<Picked, kRaster.size()> picked;
  for (std::size_t t = 0; t < kRaster.size(); ++t) picked[t] = pick(part, t, nullptr);
  LatticeWish wish{};
  for (std::size_t u = 0; u < part.units(); ++u) {
    std::size_t best = 0;
    for (std::size_t t = 1; t < kRaster.size(); ++t) {
      if (picked[t].cost[u] < picked[best].cost[u]) best = t;
    }
    const float scale = between(picked, u, best) * start[u];
    wish.scale[u] = scale;
    wish.weight[u] = scale > 0 ? powers.two[u] / (scale * scale) : 0.0f;
  }
  return wish;
}

// Of the values of d whose upper l meet the largest wish, d fitted to the levels they give, the
// first that misses the wishes for least.
Candidate candidate(const Part& part, const LatticeWish& wish) {
  const LatticeType& type = part.type;
  const float largest = *std::max_element(wish.scale.begin(), wish.scale.end());
  Candidate best;
  float least = 0;
  for (int top = type.scales - 1; top >= type.scales / 2; --top) {
    std::uint16_t d = stored(largest / type.multiplier(top));
    LatticeLevels levels;
    lattice_levels(type, wish, fp16_to_float(d), levels);
    if (levels.down > 0) d = stored(levels.up / (levels.down * type.factor));
    lattice_levels(type, wish, fp16_to_float(d), levels);
    if (top != type.scales - 1 && levels.cost >= least) continue;
    least = levels.cost;
    best.d = d;
    best.level = levels.level;
  }
  return best;
}

// d at the least squares of the codes.
void refit(const Part& part, Candidate& c) {
  double up = 0;
  double down = 0;
  for (std::size_t u = 0; u < part.units(); ++u) {
    const double multiplier = part.type.multiplier(c.level[u]);
    up += multiplier * c.moments[u].wv;
    down += multiplier * multiplier * c.moments[u].vv;
  }
  const std::uint16_t d = down > 0 ? stored(static_cast<float>(up / down)) : c.d;
  if (d == c.d) return;
  const std::uint16_t before = c.d;
  const double cost = c.cost;
  c.d = d;
  sum_up(part, c);
  if (c.cost < cost) return;
  c.d = before;
  c.cost = cost;
}

Candidate by_search(Part& part, const LatticePowers& powers, const Candidate& range) {
  Candidate best = candidate(part, wishes(part, powers));
  const double bound = try_neighbours(part, powers, range, best);
  complete(part, LatticeCosts::fine, Shifts::settled, best);
  refit(part, best);
  if (bound >= best.cost || fine_bound(part, powers, range) >= best.cost) return best;
  Candidate other = range;
  complete(part, LatticeCosts::fine, Shifts::open, other);
  return other.cost <= best.cost ? other : best;
}

// Importance with mean 1: costs then neither overflow nor vanish. All one when there is none.
void normalize(Floats h, std::array<float, kLatticeBlock>& out) {
  std::array<double, 4> sum{};
  for (std::size_t i = 0; i + 4 <= h.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sum[k] += h[i + k];
  }
  const double all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  const double inverse = all > 0 ? static_cast<double>(h.size()) / all : 0;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = inverse > 0 ? static_cast<float>(h[i] * inverse) : 1.0f;
}

}  // namespace

void lattice_fit(const LatticeType& type, LatticeParams& p, Floats w, Floats h, Fit fit) noexcept {
  std::copy(w.begin(), w.end(), p.w.begin());
  normalize(h, p.h);
  Part part(type, p.w, p.h);
  LatticePowers powers;
  lattice_powers(type, part.cells, powers);
  Candidate c = by_range(part, powers);
  if (fit == Fit::search) {
    c = by_search(part, powers, c);
  } else {
    complete(part, LatticeCosts::exact, Shifts::open, c);
  }
  p.record.d = c.d;
  p.record.code = c.codes.code;
  p.record.shift = c.codes.shift;
  for (std::size_t u = 0; u < part.units(); ++u)
    p.record.level[u] = static_cast<std::uint8_t>(c.level[u]);
}

void lattice_fit_unit(const LatticeType& type, LatticeParams& p, std::size_t u, Floats w) noexcept {
  float* known = p.w.data() + u * type.unit;
  if (std::equal(w.begin(), w.end(), known)) return;
  std::copy(w.begin(), w.end(), known);
  Part part(type, Floats(known, type.unit), Floats(p.h.data() + u * type.unit, type.unit));
  const auto levels = static_cast<std::size_t>(type.scales);
  part.set_trials(levels);
  for (std::size_t l = 0; l < levels; ++l)
    part.set_scales(l, {scale_of(type, p.record.d, static_cast<int>(l))});
  lattice_nearest(type, part.cells, LatticeCosts::exact, false);
  float least = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    const float cost = pick(part, l, nullptr).cost[0];
    if (l > 0 && cost >= least) continue;
    least = cost;
    p.record.level[u] = static_cast<std::uint8_t>(l);
  }
  Codes best;
  part.set_trials(1);
  part.set_scales(0, {scale_of(type, p.record.d, p.record.level[u])});
  find_entries(part, LatticeCosts::exact);
  take_codes(part, pick(part, 0, nullptr), best);
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
  part.set_trials(1);
  part.set_scales(0, {scale_of(type, p.record.d, p.record.level[u])});
  Codes found;
  find_entries(part, LatticeCosts::exact);
  take_codes(part, pick(part, 0, &p.record.shift[u]), found);
  std::copy_n(found.code.begin(), cells, codes.begin());
}

}  // namespace zp
