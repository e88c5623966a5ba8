// What becomes of a number in each floating-point format: fields, value, error, neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "number/float_format.h"

namespace zp {

/// A number as one format holds it. Where there is no neighbour, below and above are NaN.
struct StoredNumber {
  const FloatFormat* format;
  std::uint64_t code;
  double value;
  double below;
  double above;
};

/// Distances from a value to the next larger one: where the format is dense and where sparse.
struct Spacing {
  double near_zero;
  double near_one;
  double near_largest;
};
Spacing spacing(const FloatFormat& format);
/// The same at the magnitude of `code`; of the largest, the distance to the one below.
double spacing_at(const FloatFormat& format, std::uint64_t code);

struct NumberExplanation {
  std::optional<double> asked;  ///< none when a code was asked for
  std::vector<StoredNumber> stored;
};

/// FP32, FP16, BF16, FP8 and FP4.
std::span<const FloatFormat* const> explained_formats();
/// The format of a name; throws UsageError at --in.
const FloatFormat& explained_format(std::string_view name);
/// "0b0001...", "0x1000" or decimal; throws UsageError at `bits` when it is none or too long.
std::uint64_t parse_code(std::string_view text, const FloatFormat& format);

NumberExplanation explain_number(double asked, std::span<const FloatFormat* const> formats);
NumberExplanation explain_code(std::uint64_t code, const FloatFormat& format);

/// {value, significand, exponent, formats: [{format, code, bits, sign, exponent, fraction, value,
/// decimal, shortest, error, relative_error, below, above, spacing, largest}]}
Json to_json(const NumberExplanation& explanation);
/// Lines, each ended.
std::string to_text(const NumberExplanation& explanation);

}  // namespace zp
