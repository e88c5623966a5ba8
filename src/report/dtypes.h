// The number formats side by side: range, precision, size, use. For `list dtypes`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace zp {

struct DTypeRow {
  std::string name;
  bool floating;
  int bits;
  double lowest;
  double highest;
  double step_near_zero;  ///< smallest positive value
  double step_near_one;
  /// Significant decimal digits the fraction is worth; integers have none.
  std::optional<double> decimal_digits;
  double smaller_than_fp32;  ///< percent; negative when larger
  std::string_view use;
};

/// All float formats, then int and uint of 2 to 8 and of 16 bits. All but `use` is derived.
std::vector<DTypeRow> dtype_rows();
/// [{name, family, bits_per_weight, summary, bits, lowest, highest, ...}]
Json to_json(const std::vector<DTypeRow>& rows);
/// A table, one line a row after its head.
std::string to_text(const std::vector<DTypeRow>& rows);

}  // namespace zp
