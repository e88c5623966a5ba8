// In which order to look for the least of many costs, over the lists of a codebook.
//
// The entries with one pattern b of the second half form a run; what is wanted of each run is the
// least cost of its first halves' patterns. The lists of patterns have much in common: the least of
// two rows that often stand together is made once and stands for both, again and again, the most
// frequent pair first. Runs of as many rows follow each other, which processors foresee. Minima are
// exact, so the plan changes no result but which of equal ones is first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zp {

/// Rows of a table of costs: those of the first half's patterns, then the shared ones.
inline constexpr std::size_t kLatticeRows = 256;

/// Of half a cell, at most.
inline constexpr std::size_t kLatticePatterns = 81;

struct LatticePlan {
  /// Row `patterns` + k is the least of two before it.
  struct Shared {
    std::uint8_t a, b;
  };
  /// All entries with one pattern of the second half.
  struct Run {
    std::int32_t begin;                     ///< first entry
    std::uint8_t high;                      ///< the pattern
    std::uint16_t count;                    ///< of its rows
    std::uint16_t first;                    ///< where they begin in `rows`
    std::array<std::uint64_t, 2> patterns;  ///< bit n: first half's pattern n is among its entries
  };

  std::size_t patterns;
  std::vector<Shared> shared;
  std::vector<Run> runs;
  std::vector<std::uint8_t> rows;  ///< of all runs, one after another
  /// Entry of first half's pattern a and second half's b: entries[b patterns + a].
  std::vector<std::uint16_t> entries;

  LatticePlan(std::span<const std::uint16_t> codebook, std::size_t patterns_of_half);
};

}  // namespace zp
