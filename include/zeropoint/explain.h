// The arithmetic, step by step: numbers, linear grids, and what a grid does to a tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/export.h"

namespace zeropoint {

/// A number as a floating-point format holds it. NaN: there is no such neighbour.
struct StoredNumber {
  std::string format;      ///< "fp16"
  std::uint64_t code = 0;  ///< its bits, as a whole number
  std::string bits;        ///< "0100011101010011"
  double value = 0;
  std::string decimal;   ///< the value with all its digits
  std::string shortest;  ///< the fewest digits that round to it
  double below = 0;      ///< the next smaller value
  double above = 0;      ///< the next larger one
};

struct NumberExplanation {
  std::optional<double> value;  ///< that was asked for; nothing: bits were
  std::vector<StoredNumber> formats;
  std::string text;  ///< what the command line shows
};

/// format: "fp32", "fp16", "bf16", "fp8_e4m3" ...; empty: all of them. Throws UsageError.
ZEROPOINT_API NumberExplanation explain_number(double value, const std::string& format = {});
/// bits: "0b0001...", "0x1000" or decimal. Throws UsageError.
ZEROPOINT_API NumberExplanation explain_bits(const std::string& bits, const std::string& format);

struct Interval {
  double lo = 0;
  double hi = 0;
};

/// Fields have the names of the command line's options.
struct GridQuestion {
  std::string grid;               ///< [u]intN[:sym|restricted|zero|min]; by default zero
  std::optional<Interval> range;  ///< nothing: that of the values
  std::optional<Interval> clip;   ///< beside it the same with values clipped to this
  std::vector<double> values;
  std::optional<double> value;  ///< one, in the clipped grid if there is one
};

struct QuantizedValue {
  double value = 0;
  int code = 0;
  double decoded = 0;
  double error = 0;  ///< decoded - value
};

/// decoded = scale (code - zero_point) + minimum
struct LinearGrid {
  Interval range;        ///< that the codes cover
  bool widened = false;  ///< beyond what was asked for, so that 0 is exact
  double scale = 0;      ///< units per level
  int zero_point = 0;
  double minimum = 0;
  std::vector<QuantizedValue> values;
};

struct GridExplanation {
  int lowest_code = 0;
  int highest_code = 0;
  LinearGrid grid;
  std::optional<LinearGrid> clipped;
  std::optional<QuantizedValue> value;
  std::string text;  ///< what the command line shows, with the calculation by hand
};

/// Throws UsageError for a grid that is not linear, and where there is nothing to quantize.
ZEROPOINT_API GridExplanation explain_grid(const GridQuestion& question);

/// A group of weights that share parameters.
struct WorstGroup {
  std::int64_t row = 0;
  std::int64_t column = 0;  ///< where it begins
  std::int64_t weights = 0;
  Interval range;    ///< of its weights
  Interval reach;    ///< of what its parameters can give
  double error = 0;  ///< root mean square
};

struct TensorExplanation {
  std::string name;
  std::string grid;
  std::string method;
  std::vector<std::int64_t> shape;  ///< [rows, columns]
  Interval range;
  double mean = 0;
  double deviation = 0;
  double bits_per_weight = 0;
  double sqnr_db = 0;  ///< infinite where nothing was lost
  double largest_error = 0;
  std::int64_t clipped = 0;  ///< weights beyond what their group can reach
  std::int64_t groups = 0;
  WorstGroup worst;
  /// Equal bins over the range: how many weights, how many decoded values.
  std::vector<std::int64_t> weights_histogram;
  std::vector<std::int64_t> decoded_histogram;
  std::string text;  ///< what the command line shows
};

/// name: as inspect() has it, as GGUF has it, or layers.N.ROLE. Throws Error, UsageError.
ZEROPOINT_API TensorExplanation explain_tensor(const std::string& model, const std::string& name,
                                               const std::string& grid = "int4:g32",
                                               const std::string& method = "mse");

}  // namespace zeropoint
