// Groups of weights side by side, one in each lane, so that each is fitted by the same sequence of
// operations whatever the width of a vector: the same bits on every instruction set, alone or
// beside others. Sums run over a group's weights in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/view.h"

namespace zp {

inline constexpr std::size_t kTileGroups = 16;
/// The longest group; longer ones are better taken alone.
inline constexpr std::int64_t kTileWeights = 512;

/// One number for each group.
struct alignas(64) PerGroup {
  float at[kTileGroups];
};

struct GroupTile {
  std::int64_t count = 0;  ///< weights of a group
  std::size_t groups = 0;
  bool weighted = false;     ///< whether h counts
  PerGroup x[kTileWeights];  ///< weight i of group g is x[i].at[g]
  PerGroup h[kTileWeights];  ///< its importance, times a power of two of the group's
  PerGroup power;            ///< brings the largest |x| of a group to [1, 2)

  /// Empties the tile for groups of `length` weights.
  void begin(std::int64_t length, bool has_importance) {
    count = length;
    groups = 0;
    weighted = has_importance;
  }

  bool full() const { return groups == kTileGroups; }

  /// importance: as w; empty where there is none.
  void add(Floats w, Floats importance) {
    float largest = 0;
    float most = 0;
    for (const float v : w) largest = std::max(largest, std::fabs(v));
    for (const float v : importance) most = std::max(most, v);
    const float share = most > 0 ? near_one(most) : 1;
    for (std::size_t i = 0; i < w.size(); ++i) x[i].at[groups] = w[i];
    for (std::size_t i = 0; i < importance.size(); ++i) h[i].at[groups] = importance[i] * share;
    power.at[groups] = largest > 0 ? near_one(largest) : 1;
    ++groups;
  }

 private:
  static float near_one(float v) { return std::ldexp(1.0f, std::clamp(-std::ilogb(v), -126, 126)); }
};

}  // namespace zp
