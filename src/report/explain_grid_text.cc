// The text of explain_grid.h.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "base/human.h"
#include "number/integer.h"
#include "report/decimal.h"
#include "report/explain_grid.h"

namespace zp {
namespace {

struct OffsetText {
  Offset offset;
  std::string_view name;
  std::string_view decode;
};

constexpr std::array<OffsetText, 4> kOffsets = {{
    {Offset::sym, "symmetric", "r = s (q - z)"},
    {Offset::restricted, "symmetric without the lowest code", "r = s (q - z)"},
    {Offset::zero, "integer zero-point", "r = s (q - z)"},
    {Offset::min, "float minimum", "r = s q + m"},
}};

// Five decimals, below one six digits.
std::string digits(double value) {
  const double magnitude = std::fabs(value);
  if (magnitude < 1) return significant(value, 6);
  return significant(value, 6 + std::clamp(static_cast<int>(std::log10(magnitude)), 0, 10));
}

// " (3.92)": a scale as textbooks print it, rounded, and cut off where that differs.
std::string on_paper(double scale) {
  const double hundreds = scale * 100;
  if (scale < 1 || round_half_even(hundreds) == hundreds) return {};
  const std::string rounded = fmt::format("{:.2f}", round_half_even(hundreds) / 100);
  const std::string cut = fmt::format("{:.2f}", std::floor(hundreds) / 100);
  if (rounded == cut) return fmt::format(" ({})", rounded);
  return fmt::format(" ({} rounded, {} cut off)", rounded, cut);
}

// Rounding of the calculation itself is no error of the grid.
std::string error_digits(const QuantizedValue& v) {
  return digits(std::fabs(v.error) < 1e-14 * std::fabs(v.value) ? 0 : v.error);
}

// What becomes of the values inside an interval.
struct Inside {
  Inside(const std::vector<QuantizedValue>& all, Interval interval) {
    for (const QuantizedValue& v : all) {
      if (v.value < interval.lo || v.value > interval.hi) continue;
      lowest = values == 0 ? v.code : std::min(lowest, v.code);
      highest = values == 0 ? v.code : std::max(highest, v.code);
      error += std::fabs(v.error);
      ++values;
    }
  }
  int codes() const { return highest - lowest + 1; }
  double mean_error() const { return error / values; }

  int values = 0;
  int lowest = 0;
  int highest = 0;
  double error = 0;
};

class Text {
 public:
  explicit Text(const GridExplanation& e)
      : e_(e), offset_(*std::find_if(kOffsets.begin(), kOffsets.end(), [&](const OffsetText& o) {
          return o.offset == e.form.offset;
        })) {}

  std::string all() const {
    std::string text = fmt::format("{}, {}: codes {}...{}, {}\n",
                                   IntFormat{e_.form.bits, e_.form.is_signed}.name(), offset_.name,
                                   e_.lowest, e_.highest, offset_.decode);
    text += parameters(e_.grid, e_.clipped ? "without clipping, range" : "range");
    if (e_.clipped) text += parameters(*e_.clipped, "clipped to");
    text +=
        "\nBooks differ: here the scale s is in units per level (q = round(r / s), r = s q); "
        "where\n"
        "it is in levels per unit, S = 1/s (q = round(r S), r = q / S).\n";
    if (!e_.grid.values.empty()) text += e_.clipped ? side_by_side() : table();
    if (e_.value) text += single();
    return text;
  }

 private:
  bool symmetric() const {
    return e_.form.offset == Offset::sym || e_.form.offset == Offset::restricted;
  }

  std::string parameters(const LinearGrid& g, std::string_view what) const {
    std::string text = fmt::format("\n{} {}...{}{}\n", what, digits(g.range.lo), digits(g.range.hi),
                                   g.widened ? ", widened to hold 0" : "");
    text += "  s = " + scale_formula(g) + " = " + digits(g.scale) + on_paper(g.scale) +
            " units per level\n";
    text += "  S = 1/s = " + digits(g.levels_per_unit) + on_paper(g.levels_per_unit) +
            " levels per unit\n";
    if (e_.form.offset == Offset::min) return text + "  m = lo = " + digits(g.minimum) + "\n";
    if (symmetric()) return text + fmt::format("  z = {}\n", g.zero_point);
    const double exact = e_.lowest - g.range.lo / g.scale;
    return text + fmt::format("  z = round(qmin - lo / s) = round({}) = {}\n", digits(exact),
                              g.zero_point);
  }

  std::string scale_formula(const LinearGrid& g) const {
    if (!symmetric()) {
      return fmt::format("(hi - lo) / (qmax - qmin) = {} / {}", digits(g.range.hi - g.range.lo),
                         e_.highest - e_.lowest);
    }
    const double up = g.range.hi / (e_.highest - g.zero_point);
    const bool by_top = up >= g.range.lo / (e_.lowest - g.zero_point);
    return fmt::format("{} / {}", digits(by_top ? g.range.hi : -g.range.lo),
                       std::abs((by_top ? e_.highest : e_.lowest) - g.zero_point));
  }

  std::string table() const {
    constexpr std::string_view kLine = "{:>12} {:>8} {:>12} {:>12}\n";
    std::string text = "\n" + fmt::format(kLine, "value", "code", "back", "error");
    for (const QuantizedValue& v : e_.grid.values) {
      text += fmt::format(kLine, digits(v.value), v.code, digits(v.decoded), error_digits(v));
    }
    return text;
  }

  std::string side_by_side() const {
    constexpr std::string_view kLine = "{:>12} | {:>6} {:>12} {:>12} | {:>6} {:>12} {:>12}\n";
    std::string text = fmt::format("\n{:>12} | {:<32} | {}\n", "", "without clipping", "clipped");
    text += fmt::format(kLine, "value", "code", "back", "error", "code", "back", "error");
    for (std::size_t i = 0; i < e_.grid.values.size(); ++i) {
      const QuantizedValue& a = e_.grid.values[i];
      const QuantizedValue& b = e_.clipped->values[i];
      text += fmt::format(kLine, digits(a.value), a.code, digits(a.decoded), error_digits(a),
                          b.code, digits(b.decoded), error_digits(b));
    }
    return text + codes_used();
  }

  // One outlier makes the step so wide that the others share a few codes.
  std::string codes_used() const {
    const Interval clip = e_.clipped->range;
    const Inside before(e_.grid.values, clip);
    const Inside after(e_.clipped->values, clip);
    if (before.values == 0) return {};
    return fmt::format(
        "\nThe values inside {}...{} lie within {} of {} without clipping, {} clipped;\n"
        "their mean error is {} without, {} clipped. What lies outside becomes the end of the "
        "range.\n",
        digits(clip.lo), digits(clip.hi), before.codes(),
        human_counted(e_.highest - e_.lowest + 1, "code"), after.codes(),
        digits(before.mean_error()), digits(after.mean_error()));
  }

  std::string single() const {
    const LinearGrid& g = e_.clipped ? *e_.clipped : e_.grid;
    const QuantizedValue& v = *e_.value;
    std::string text = "\n" + calculation(v, g);
    text += fmt::format("  {:.2f} on paper, error {}\n", v.decoded, error_digits(v));
    for (const HandCalculation& h : e_.by_hand) {
      text += h.levels_per_unit ? "  by hand, with S rounded to " : "  by hand, with s rounded to ";
      text += fmt::format("{} first: code {}, back to {}\n", digits(h.scale), h.result.code,
                          digits(h.result.decoded));
    }
    return text;
  }

  std::string calculation(const QuantizedValue& v, const LinearGrid& g) const {
    const double level = (v.value - g.minimum) / g.scale;
    if (e_.form.offset == Offset::min) {
      return fmt::format("{}: q = round(({} - m) / s) = round({}) = {}, back s q + m = {}\n",
                         digits(v.value), digits(v.value), digits(level), v.code,
                         digits(v.decoded));
    }
    return fmt::format("{}: q = round({} / s) + z = round({}) {} {} = {}, back s (q - z) = {}\n",
                       digits(v.value), digits(v.value), digits(level),
                       g.zero_point < 0 ? '-' : '+', std::abs(g.zero_point), v.code,
                       digits(v.decoded));
  }

  const GridExplanation& e_;
  const OffsetText& offset_;
};

}  // namespace

std::string to_text(const GridExplanation& explanation) { return Text(explanation).all(); }

}  // namespace zp
