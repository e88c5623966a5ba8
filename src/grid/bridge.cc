#include "grid/bridge.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace zp {
namespace {

// Rows so long have no group that is a row.
constexpr std::int64_t kLongRow = std::int64_t{1} << 40;

/// Weights of a row that share a scale; 0: all of them.
std::int64_t together(const Grid& grid) {
  const std::int64_t unit = grid.shape(kLongRow).unit;
  return unit == kLongRow ? 0 : unit;
}

bool groups_fit(const Grid& from, const Grid& to) {
  if (to.whole_tensor()) return from.whole_tensor();
  if (from.whole_tensor()) return true;
  const std::int64_t theirs = together(to);
  const std::int64_t ours = together(from);
  if (theirs == 0) return ours == 0;
  return ours % theirs == 0;
}

/// Levels less any whole number of them that a zero-point may be, and their negatives where `flipped`.
std::vector<double> moved(const Values& values, bool flipped) {
  std::vector<double> levels = values.levels;
  if (values.offset == Offset::zero || values.offset == Offset::min) {
    const auto most = static_cast<int>(values.levels.size()) - 1;
    levels.clear();
    for (int level = -most; level <= most; ++level) levels.push_back(level);
  } else if (flipped) {
    for (const double level : values.levels) levels.push_back(-level);
    std::ranges::sort(levels);
  }
  return levels;
}

constexpr int kMostExponent = 9;  // FP8's levels have so many bits below 1

/// The exponent of the power of two by which `levels` are multiplied to be among `among`; nothing: there
/// is none.
std::optional<int> exponent_among(const std::vector<double>& levels,
                                  const std::vector<double>& among) {
  for (int exponent = -kMostExponent; exponent <= kMostExponent; ++exponent) {
    const auto there = [&](double l) {
      return std::ranges::binary_search(among, std::ldexp(l, exponent));
    };
    if (std::ranges::all_of(levels, there)) return exponent;
  }
  return std::nullopt;
}

/// The same for levels that shall be whole numbers, at most so many apart, 0 among them.
std::optional<int> exponent_within(const std::vector<double>& levels, std::size_t count) {
  const double apart = std::max(levels.back(), 0.0) - std::min(levels.front(), 0.0);
  for (int exponent = 0; exponent <= kMostExponent; ++exponent) {
    const auto whole = [&](double l) {
      const double scaled = std::ldexp(l, exponent);
      return scaled == std::nearbyint(scaled);
    };
    if (std::ranges::all_of(levels, whole) &&
        std::ldexp(apart, exponent) <= static_cast<double>(count - 1))
      return exponent;
  }
  return std::nullopt;
}

/// What must be so beside what always is.
class Conditions {
 public:
  void add(const std::string& condition) { text_ += (text_.empty() ? "" : ", ") + condition; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// The exponent of the factor from one's levels to the other's; adds what it takes.
std::optional<int> levels_fit(const Values& from, const Values& to, Conditions& where) {
  constexpr const char* kMiddle = "zero-points lie in the middle";
  if (from.offset == Offset::min && to.offset != Offset::min)
    where.add("minima are whole multiples of their scales");
  const bool flipped = from.negative && !to.negative;
  if (to.offset == Offset::zero || to.offset == Offset::min) {
    const bool moves = from.offset == Offset::zero || from.offset == Offset::min;
    if (moves) {
      return from.levels.size() <= to.levels.size() ? std::optional(0) : std::nullopt;
    }
    return exponent_within(from.levels, to.levels.size());
  }
  if (const auto all = exponent_among(moved(from, flipped), to.levels)) return all;
  if (from.offset != Offset::zero && from.offset != Offset::min) return std::nullopt;
  where.add(kMiddle);
  return exponent_among(from.levels, to.levels);
}

/// Bits of whole numbers up to the distance of the outermost levels.
int bits_of(const Values& values) {
  const double most = values.levels.back() - values.levels.front();
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most)));
}

void scales_fit(const Values& from, const Values& to, int exponent, Conditions& where) {
  const bool precise = from.scale.significant <= to.scale.significant;
  const bool within =
      from.scale.least - exponent >= to.scale.least && from.scale.most - exponent <= to.scale.most;
  if (!precise || !within) where.add("scales fit " + std::string(to.scale.name));
  if (to.offset != Offset::min) return;
  // Of a zero-point in the middle the minimum is the scale times a power of two.
  const int of_value = from.scale.significant + bits_of(to);
  const int of_minimum = from.offset == Offset::zero ? of_value : from.scale.significant;
  if (from.offset == Offset::min) {
    where.add("scales and minima have few bits");
  } else if (of_value > to.arithmetic || of_minimum > to.scale.significant) {
    where.add("scales have few bits");
  }
}

}  // namespace

Bridge bridge(const Grid& from, const Grid& to) {
  if (from.spec() == to.spec()) return {true, {}};
  const std::optional<Values> ours = from.values();
  const std::optional<Values> theirs = to.values();
  if (!ours || !theirs || !groups_fit(from, to)) return {};
  Conditions where;
  const std::optional<int> exponent = levels_fit(*ours, *theirs, where);
  if (!exponent) return {};
  scales_fit(*ours, *theirs, *exponent, where);
  return {true, where.text()};
}

}  // namespace zp
