// The number types an affine grid's scales (and minima) are stored in.
#pragma once

#include <cstddef>
#include <string_view>

#include "grid/affine_fit.h"
#include "grid/grid.h"

namespace zp {

struct ScaleTypeInfo {
  std::string_view word;       ///< in specs: "s16"
  std::string_view type_name;  ///< what is stored: "fp16"
  std::int64_t bytes;
  StoredScale nearest;                         ///< rounds to the nearest storable finite value
  StoredScale covering;                        ///< for ranges: never so small that the ends are cut
  void (*store)(float value, std::byte* out);  ///< of a value nearest() gave
  float (*load)(const std::byte* in);
  float (*arithmetic)(
      float value);  ///< rounds an intermediate result of decoding `min` to the type
  double largest;
  int significant;  ///< bits
  int least;        ///< exponent of the smallest step between two
};

const ScaleTypeInfo& info(ScaleType type);
ScaleRange scale_range(const ScaleTypeInfo& type);

}  // namespace zp
