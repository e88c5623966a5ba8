// Numbers as people read them: enough digits, no more.
#pragma once

#include <cstdint>
#include <string>

#include "number/float_format.h"

namespace zp {

/// `digits` significant digits, trailing zeros dropped: 3.92157, 1e-09.
std::string significant(double value, int digits);
/// Integers in groups of three up to 10^15 (65,504), else six significant digits.
std::string grouped(double value);
/// `count` binary digits of `bits`.
std::string binary(std::uint64_t bits, int count);
/// A value of `format`: all its digits where 17 are enough, else as many as tell it from its
/// neighbours (9 for FP32 and less).
std::string stored_decimal(const FloatFormat& format, double value);
/// The fewest significant digits that read back as this code.
std::string shortest_decimal(const FloatFormat& format, std::uint64_t code);

}  // namespace zp
