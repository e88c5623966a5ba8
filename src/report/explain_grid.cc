#include "report/explain_grid.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "number/integer.h"
#include "report/decimal.h"

namespace zp {
namespace {

// Codes of a form, and the one that stands for 0 when there is no zero-point to choose.
struct Codes {
  int lowest;
  int highest;
  int centre;
};

Codes codes_of(const AffineForm& form) {
  const IntFormat integer{form.bits, form.is_signed};
  const int lowest = integer.lowest() + (form.offset == Offset::restricted ? 1 : 0);
  return {lowest, integer.highest(), form.is_signed ? 0 : 1 << (form.bits - 1)};
}

// What the parameters come from: for an integer zero-point 0 must be inside, so that it is exact.
Interval fitted(Interval range, Offset offset) {
  if (offset != Offset::zero) return range;
  return {std::min(range.lo, 0.0), std::max(range.hi, 0.0)};
}

LinearGrid fit(const AffineForm& form, Interval asked) {
  const Codes codes = codes_of(form);
  const Interval range = fitted(asked, form.offset);
  const bool widened = range.lo < asked.lo || range.hi > asked.hi;
  LinearGrid grid{range, widened, 0, 0, codes.centre, 0, {}};
  if (form.offset == Offset::zero || form.offset == Offset::min) {
    grid.scale = (range.hi - range.lo) / (codes.highest - codes.lowest);
  } else {
    grid.scale = std::max(range.hi / (codes.highest - codes.centre),
                          range.lo / (codes.lowest - codes.centre));
  }
  grid.levels_per_unit = 1 / grid.scale;
  if (!(grid.scale > 0) || !std::isfinite(grid.scale) || !std::isfinite(grid.levels_per_unit)) {
    throw UsageError("explain grid", "the range is empty or too wide", "two different ends",
                     fmt::format("{}..{}", asked.lo, asked.hi));
  }
  if (form.offset == Offset::zero) {
    const double z = round_half_even(codes.lowest - range.lo / grid.scale);
    grid.zero_point = static_cast<int>(std::clamp<double>(z, codes.lowest, codes.highest));
  }
  if (form.offset == Offset::min) {
    grid.zero_point = codes.lowest;
    grid.minimum = range.lo;
  }
  return grid;
}

QuantizedValue quantize(const LinearGrid& grid, const Codes& codes, double value) {
  const double level = round_half_even((value - grid.minimum) / grid.scale) + grid.zero_point;
  const int code = static_cast<int>(std::clamp<double>(level, codes.lowest, codes.highest));
  const double decoded = grid.scale * (code - grid.zero_point) + grid.minimum;
  return {value, code, decoded, decoded - value};
}

// Two decimals as one writes on paper; three digits below one.
double rounded_by_hand(double scale) {
  if (std::fabs(scale) >= 1) return round_half_even(scale * 100) / 100;
  return std::stod(significant(scale, 3));
}

std::vector<HandCalculation> by_hand(const LinearGrid& grid, const Codes& codes, double value) {
  std::vector<HandCalculation> all;
  for (const bool levels_per_unit : {false, true}) {
    const double scale = rounded_by_hand(levels_per_unit ? grid.levels_per_unit : grid.scale);
    LinearGrid rough = grid;
    rough.scale = levels_per_unit ? 1 / scale : scale;
    all.push_back({levels_per_unit, scale, quantize(rough, codes, value)});
  }
  return all;
}

Interval range_of(const GridQuestion& question) {
  if (question.range) return *question.range;
  if (question.values.empty()) {
    if (question.clip) return *question.clip;
    throw UsageError("explain grid", "no range", "`range`=LO..HI or `values`=A,B,C", "neither");
  }
  const auto [lo, hi] = std::minmax_element(question.values.begin(), question.values.end());
  return {*lo, *hi};
}

void check(const GridQuestion& question) {
  const auto finite = [](double v) {
    if (!std::isfinite(v)) throw UsageError("explain grid", "a value that is no finite number");
  };
  for (const double v : question.values) finite(v);
  if (question.value) finite(*question.value);
}

LinearGrid grid_over(const GridQuestion& question, Interval range) {
  LinearGrid grid = fit(question.form, range);
  const Codes codes = codes_of(question.form);
  for (const double v : question.values) grid.values.push_back(quantize(grid, codes, v));
  return grid;
}

Json to_json(const QuantizedValue& v) {
  return {{"value", v.value}, {"code", v.code}, {"decoded", v.decoded}, {"error", v.error}};
}

Json to_json(const LinearGrid& grid, Offset offset) {
  Json json = {{"range", {{"lo", grid.range.lo}, {"hi", grid.range.hi}}},
               {"scale", grid.scale},
               {"levels_per_unit", grid.levels_per_unit}};
  if (offset == Offset::min) {
    json["minimum"] = grid.minimum;
  } else {
    json["zero_point"] = grid.zero_point;
  }
  json["values"] = Json::array();
  for (const QuantizedValue& v : grid.values) json["values"].push_back(to_json(v));
  return json;
}

}  // namespace

Interval parse_interval(std::string_view text, const std::string& option) {
  const std::size_t dots = text.find("..");
  Interval interval;
  const auto read = [](std::string_view part, double& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size() && std::isfinite(value);
  };
  if (dots == std::string_view::npos || !read(text.substr(0, dots), interval.lo) ||
      !read(text.substr(dots + 2), interval.hi) || !(interval.lo < interval.hi)) {
    throw UsageError(option, "no range", "LO..HI with LO below HI", std::string(text));
  }
  return interval;
}

AffineForm explained_form(const std::string& spec) {
  AffineForm defaults;
  defaults.offset = Offset::zero;
  const std::unique_ptr<Grid> grid = make_grid(spec, defaults);
  if (grid->affine() == nullptr)
    throw UsageError("explain grid", "no linear grid", "[u]intN[:sym|restricted|zero|min]", spec);
  return *grid->affine();
}

GridExplanation explain_grid(const GridQuestion& question) {
  check(question);
  const Codes codes = codes_of(question.form);
  GridExplanation all{question.form,
                      codes.lowest,
                      codes.highest,
                      grid_over(question, range_of(question)),
                      {},
                      {},
                      {}};
  if (question.clip) all.clipped = grid_over(question, *question.clip);
  if (question.value) {
    const LinearGrid& used = all.clipped ? *all.clipped : all.grid;
    all.value = quantize(used, codes, *question.value);
    all.by_hand = by_hand(used, codes, *question.value);
  }
  return all;
}

Json to_json(const GridExplanation& e) {
  Json json = {{"grid", IntFormat{e.form.bits, e.form.is_signed}.name()},
               {"bits", e.form.bits},
               {"lowest_code", e.lowest},
               {"highest_code", e.highest}};
  json.update(to_json(e.grid, e.form.offset));
  if (e.clipped) json["clipped"] = to_json(*e.clipped, e.form.offset);
  if (e.value) json.update(to_json(*e.value));
  if (!e.by_hand.empty()) json["by_hand"] = Json::array();
  for (const HandCalculation& h : e.by_hand) {
    Json row = {{h.levels_per_unit ? "levels_per_unit" : "scale", h.scale}};
    row.update(to_json(h.result));
    json["by_hand"].push_back(std::move(row));
  }
  return json;
}

}  // namespace zp
