// Size arithmetic that can't wrap: sizes and offsets read from files go through here.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace zp {

/// a * b, a + b of non-negative sizes; an Error at `where` when the result leaves int64.
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b, const std::string& where) {
  std::int64_t r = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r)) {
    throw Error(where, "size overflows 64 bits", {}, std::to_string(a) + " x " + std::to_string(b));
  }
  return r;
}

inline std::int64_t checked_add(std::int64_t a, std::int64_t b, const std::string& where) {
  std::int64_t r = 0;
  if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &r)) {
    throw Error(where, "size overflows 64 bits", {}, std::to_string(a) + " + " + std::to_string(b));
  }
  return r;
}

/// a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }
/// The same, and the result fits: for a that was checked against the bytes that are there.
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

}  // namespace zp
