// Linear quantization step by step: scale, zero-point, codes, and what comes back.
//
//   q = round(r / s) + z, cut to the codes there are        r = s (q - z)
//   q = round((r - m) / s)                                  r = s q + m         (offset min)
//
// s is in units per level. Many textbooks use levels per unit, 1 / s; both are shown. The numbers
// are those of the affine grids before s is rounded to the type it is stored in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "grid/grid.h"

namespace zp {

struct Interval {
  double lo = 0;
  double hi = 0;
};

/// "LO..HI", e.g. "-7.59..10.8"; throws UsageError at `option` unless LO < HI and both are finite.
Interval parse_interval(std::string_view text, const std::string& option);

/// The form of a linear grid, "[u]intN[:sym|restricted|zero|min]", by default with a zero-point, for a
/// range of its own asks for one. Throws UsageError for other grids.
AffineForm explained_form(const std::string& spec);

struct GridQuestion {
  AffineForm form;                ///< bits, is_signed and offset count
  std::optional<Interval> range;  ///< none: that of the values
  std::optional<Interval> clip;
  std::vector<double> values;
  std::optional<double> value;  ///< with the calculation by hand
};

struct QuantizedValue {
  double value;
  int code;
  double decoded;
  double error;  ///< decoded - value
};

/// The same with a rounded scale, as on paper.
struct HandCalculation {
  bool levels_per_unit;  ///< which of the two scales was rounded
  double scale;
  QuantizedValue result;
};

/// One grid's parameters and what it does to the values.
struct LinearGrid {
  Interval range;
  bool widened;  ///< beyond what was asked, so that 0 is exact
  double scale;
  double levels_per_unit;
  int zero_point;
  double minimum;  ///< m of offset min, else 0
  std::vector<QuantizedValue> values;
};

struct GridExplanation {
  AffineForm form;
  int lowest;
  int highest;
  LinearGrid grid;
  std::optional<LinearGrid> clipped;
  /// What becomes of GridQuestion::value (in the clipped grid, if there is one), and by hand.
  std::optional<QuantizedValue> value;
  std::vector<HandCalculation> by_hand;
};

/// Throws UsageError when there is neither a range nor a clip nor two different values.
GridExplanation explain_grid(const GridQuestion& question);

/// {grid, bits, lowest_code, highest_code, range, scale, levels_per_unit, zero_point | minimum,
/// values: [{value, code, decoded, error}], clipped: {range ... values}, value, code, decoded,
/// error, by_hand: [...]}
Json to_json(const GridExplanation& explanation);
/// Lines, each ended.
std::string to_text(const GridExplanation& explanation);

}  // namespace zp
