// Fitting IQ1, IQ2 and IQ3 to weights.
//
// Exact: with d given, a unit that is fitted alone tries every l and takes the best codes of all,
// turned signs and shifts among them. Heuristic: what a block gets. A raster of scales around the
// usual one for the spread of its weights says what scale s each unit alone wants; of the values of
// d that put the largest unit's scale on one of the upper l, the best by D (s' - s)^2, with
// D = sum h w^2 / s^2, is taken; then every unit's l or one of its neighbours. So far costs are
// told apart to a hundredth of a cell's (LatticeCosts::rough), IQ1's are only estimated
// (lattice_estimate.cc). LatticeCodes, with shifts, are the best at these scales but for ties
// within a few ten thousandths (fine); last d moves to their least squares. What was found so is
// kept where it costs less than the range, whose codes are sought only where what it costs at least
// doesn't decide.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "grid/lattice_part.h"
#include "number/half.h"

namespace zp {
namespace {

constexpr float kFp16Largest = 65504.0f;

// A block's d, each unit's l, and what came of them.
struct Candidate {
  std::uint16_t d = 0;
  LatticePerUnit<std::int32_t> level{};
  LatticeCodes codes;
  LatticePerUnit<LatticeMoments> moments;
  double cost = 0;
};

float scale_of(const LatticeType& type, std::uint16_t d, int level) {
  return fp16_to_float(d) * type.multiplier(level);
}

LatticePerUnit<float> scales_of(const LatticePart& part, const Candidate& c) {
  LatticePerUnit<float> scale{};
  for (std::size_t u = 0; u < part.units; ++u) scale[u] = scale_of(part.type, c.d, c.level[u]);
  return scale;
}

std::uint16_t stored(float d) {
  return float_to_fp16(std::isfinite(d) ? std::clamp(d, 0.0f, kFp16Largest) : 0.0f);
}

void sum_up(const LatticePart& part, Candidate& c) {
  const LatticePerUnit<float> scale = scales_of(part, c);
  lattice_moments(part.type, part.w, part.h, c.codes.code.data(), c.codes.shift.data(),
                  scale.data(), std::span(c.moments).first(part.units));
  c.cost = 0;
  for (std::size_t u = 0; u < part.units; ++u) c.cost += c.moments[u].error;
}

// LatticeCodes at the candidate's scales.
void complete(LatticePart& part, LatticeCosts costs, Candidate& c) {
  part.set_trials(1);
  part.set_scales(0, scales_of(part, c));
  lattice_find_entries(part, costs);
  lattice_take_codes(part, lattice_pick(part, 0, nullptr), c.codes);
  sum_up(part, c);
}

// What codes at the candidate's scales cost at least.
double bound_of(LatticePart& part, const LatticePowers& powers, const Candidate& c,
                LatticeCosts costs) {
  part.set_trials(1);
  part.set_scales(0, scales_of(part, c));
  lattice_nearest(part.type, part.cells, costs, false);
  const LatticePicked picked = lattice_pick(part, 0, nullptr);
  double sum = 0;
  double units = 0;
  for (std::size_t u = 0; u < part.units; ++u) {
    const double scale = scale_of(part.type, c.d, c.level[u]);
    sum += picked.cost[u];
    units += scale * scale * powers.zero[u];
  }
  const auto halves = static_cast<double>(part.type.dims + 2);  // one to spare
  return sum - units * lattice_unit(part.type, costs) * halves / 2;
}

// The same of IQ1, if every point of levels were an entry.
double least_of(LatticePart& part, const Candidate& c) {
  part.set_trials(1);
  part.set_scales(0, scales_of(part, c));
  lattice_least(part.cells);
  const LatticePicked picked = lattice_pick(part, 0, nullptr);
  const double sum = std::accumulate(picked.cost.begin(), picked.cost.end(), 0.0);
  return sum * (1 - 0x1p-18);  // sums of 32 terms in FP32
}

// Certainly, the candidate costs at least `cost`.
bool costs_at_least(LatticePart& part, const LatticePowers& powers, const Candidate& c,
                    double cost) {
  if (part.type.moves != nullptr && least_of(part, c) >= cost) return true;
  return bound_of(part, powers, c, LatticeCosts::rough) >= cost ||
         bound_of(part, powers, c, LatticeCosts::fine) >= cost;
}

// Near enough to compare scales by.
void costs_about(LatticePart& part) {
  if (part.type.moves != nullptr) {
    lattice_estimate(part.type, part.cells);
  } else {
    lattice_nearest(part.type, part.cells, LatticeCosts::rough, false);
  }
}

// Each unit's l may move by one.
void try_neighbours(LatticePart& part, Candidate& c) {
  constexpr std::array kSteps = {0, -1, 1};
  const LatticePerUnit<std::int32_t> start = c.level;
  const auto level = [&](std::size_t u, int step) {
    return std::clamp(start[u] + step, 0, part.type.scales - 1);
  };
  part.set_trials(kSteps.size());
  for (std::size_t t = 0; t < kSteps.size(); ++t) {
    LatticePerUnit<float> scale{};
    for (std::size_t u = 0; u < part.units; ++u)
      scale[u] = scale_of(part.type, c.d, level(u, kSteps[t]));
    part.set_scales(t, scale);
  }
  costs_about(part);
  LatticePerUnit<float> least{};
  for (std::size_t t = 0; t < kSteps.size(); ++t) {
    const LatticePicked picked = lattice_pick(part, t, nullptr);
    for (std::size_t u = 0; u < part.units; ++u) {
      if (t > 0 && picked.cost[u] >= least[u]) continue;
      c.level[u] = level(u, kSteps[t]);
      least[u] = picked.cost[u];
    }
  }
}

// d and every l; no codes yet.
Candidate by_range(const LatticePart& part, const LatticePowers& powers) {
  LatticeWish wish{};
  for (std::size_t u = 0; u < part.units; ++u) wish.scale[u] = powers.largest[u] / part.type.top();
  const float largest = *std::max_element(wish.scale.begin(), wish.scale.end());
  Candidate c;
  c.d = stored(largest / part.type.multiplier(part.type.scales - 1));
  LatticeLevels levels;
  lattice_levels(part.type, wish, fp16_to_float(c.d), levels);
  c.level = levels.level;
  return c;
}

constexpr std::array kRaster = {0.7f, 0.84f, 1.0f, 1.18f, 1.4f};
constexpr std::array kFineRaster = {0.68f, 0.79f, 0.91f, 1.06f, 1.22f, 1.41f};  // of IQ1_S

// Of one unit over a raster: the lowest point of the parabola through the least cost and those
// beside it.
float lowest(std::span<const float> raster, std::span<const LatticePicked> picked, std::size_t u) {
  std::size_t best = 0;
  for (std::size_t t = 1; t < raster.size(); ++t) {
    if (picked[t].cost[u] < picked[best].cost[u]) best = t;
  }
  if (best == 0 || best + 1 == raster.size()) return raster[best];
  const float below = picked[best - 1].cost[u] - picked[best].cost[u];
  const float above = picked[best + 1].cost[u] - picked[best].cost[u];
  if (!(below + above > 0)) return raster[best];
  return raster[best] +
         (below - above) / (below + above) / 4 * (raster[best + 1] - raster[best - 1]);
}

LatticeWish wishes(LatticePart& part, const LatticePowers& powers) {
  const std::span<const float> raster =
      part.type.signs == LatticeSigns::unit_shift ? std::span<const float>(kFineRaster) : kRaster;
  const LatticePerUnit<float>& start = powers.usual;
  part.set_trials(raster.size());
  for (std::size_t t = 0; t < raster.size(); ++t) {
    LatticePerUnit<float> scale{};
    for (std::size_t u = 0; u < part.units; ++u) scale[u] = raster[t] * start[u];
    part.set_scales(t, scale);
  }
  costs_about(part);
  std::array<LatticePicked, std::max(kRaster.size(), kFineRaster.size())> picked;
  for (std::size_t t = 0; t < raster.size(); ++t) picked[t] = lattice_pick(part, t, nullptr);
  LatticeWish wish{};
  for (std::size_t u = 0; u < part.units; ++u) {
    const float scale = lowest(raster, picked, u) * start[u];
    wish.scale[u] = scale;
    wish.weight[u] = scale > 0 ? powers.two[u] / (scale * scale) : 0.0f;
  }
  return wish;
}

// Of the values of d whose upper l meet the largest wish, d fitted to the levels they give, the
// first that misses the wishes for least.
Candidate candidate(const LatticePart& part, const LatticeWish& wish) {
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
void refit(const LatticePart& part, Candidate& c) {
  double up = 0;
  double down = 0;
  for (std::size_t u = 0; u < part.units; ++u) {
    const double multiplier = part.type.multiplier(c.level[u]);
    up += multiplier * c.moments[u].wv;
    down += multiplier * multiplier * c.moments[u].vv;
  }
  const std::uint16_t d = down > 0 ? stored(static_cast<float>(up / down)) : c.d;
  if (d == c.d) return;
  const double before = fp16_to_float(c.d);
  const double after = fp16_to_float(d);
  const double more = (after - before) * ((after + before) * down - 2 * up);
  if (!(more < 0)) return;
  c.d = d;
  c.cost += more;
}

Candidate by_search(LatticePart& part, const LatticePowers& powers, const Candidate& range) {
  Candidate best = candidate(part, wishes(part, powers));
  try_neighbours(part, best);
  complete(part, LatticeCosts::fine, best);
  refit(part, best);
  if (costs_at_least(part, powers, range, best.cost)) return best;
  Candidate other = range;
  complete(part, LatticeCosts::fine, other);
  return other.cost <= best.cost ? other : best;
}

// Importance with mean 1: costs then neither overflow nor vanish. All one when there is none.
void normalize(Floats h, std::array<float, kLatticeBlock>& out) {
  std::array<double, 4> sum{};
  for (std::size_t i = 0; i + 4 <= h.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sum[k] += h[i + k];
  }
  const double all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  if (!(all > 0)) {
    out.fill(1.0f);
    return;
  }
  const double inverse = static_cast<double>(h.size()) / all;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(h[i] * inverse);
}

}  // namespace

void lattice_fit(const LatticeType& type, LatticeParams& p, Floats w, Floats h, Fit fit) noexcept {
  std::copy(w.begin(), w.end(), p.w.begin());
  normalize(h, p.h);
  LatticePart part(type, p.w, p.h);
  LatticePowers powers;
  lattice_powers(type, part.cells, powers);
  Candidate c = by_range(part, powers);
  if (fit == Fit::search) {
    c = by_search(part, powers, c);
  } else {
    complete(part, LatticeCosts::exact, c);
  }
  p.record.d = c.d;
  p.record.code = c.codes.code;
  p.record.shift = c.codes.shift;
  for (std::size_t u = 0; u < part.units; ++u)
    p.record.level[u] = static_cast<std::uint8_t>(c.level[u]);
}

void lattice_fit_unit(const LatticeType& type, LatticeParams& p, std::size_t u, Floats w) noexcept {
  float* known = p.w.data() + u * type.unit;
  if (std::equal(w.begin(), w.end(), known)) return;
  std::copy(w.begin(), w.end(), known);
  LatticePart part(type, Floats(known, type.unit), Floats(p.h.data() + u * type.unit, type.unit));
  const auto levels = static_cast<std::size_t>(type.scales);
  part.set_trials(levels);
  for (std::size_t l = 0; l < levels; ++l)
    part.set_scales(l, {scale_of(type, p.record.d, static_cast<int>(l))});
  lattice_nearest(type, part.cells, LatticeCosts::exact, false);
  float least = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    const float cost = lattice_pick(part, l, nullptr).cost[0];
    if (l > 0 && cost >= least) continue;
    least = cost;
    p.record.level[u] = static_cast<std::uint8_t>(l);
  }
  LatticeCodes best;
  part.set_trials(1);
  part.set_scales(0, {scale_of(type, p.record.d, p.record.level[u])});
  lattice_find_entries(part, LatticeCosts::exact);
  lattice_take_codes(part, lattice_pick(part, 0, nullptr), best);
  p.record.shift[u] = best.shift[0];
  std::copy_n(best.code.begin(), part.cells_of_unit,
              p.record.code.begin() + static_cast<std::ptrdiff_t>(u * part.cells_of_unit));
}

void lattice_encode(const LatticeType& type, const LatticeParams& p, std::size_t j, Floats w,
                    std::span<Code> codes) noexcept {
  const std::size_t cells = w.size() / type.dims;
  if (std::equal(w.begin(), w.end(), p.w.begin() + static_cast<std::ptrdiff_t>(j))) {
    std::copy_n(p.record.code.begin() + static_cast<std::ptrdiff_t>(j / type.dims), cells,
                codes.begin());
    return;
  }
  LatticePart part(type, w, Floats(p.h).subspan(j, w.size()));
  const std::size_t u = j / type.unit;
  part.set_trials(1);
  part.set_scales(0, {scale_of(type, p.record.d, p.record.level[u])});
  LatticeCodes found;
  lattice_find_entries(part, LatticeCosts::exact);
  lattice_take_codes(part, lattice_pick(part, 0, &p.record.shift[u]), found);
  std::copy_n(found.code.begin(), cells, codes.begin());
}

}  // namespace zp
