// The logarithmic axis of a picture's height: whole powers of ten, upwards.
#pragma once

#include <string>

namespace zp {

struct Decades {
  int low = -1;       ///< power of ten at the bottom; what is smaller lies there, too
  int high = 0;       ///< power of ten at the top, above low
  double top = 0;     ///< places in the picture, downwards
  double bottom = 0;  ///< below top

  double y(double value) const;
  /// A rule from left to right for each power, its value at the left; powers below `plain` are
  /// written as 1e-7.
  std::string rules(double left, double right, int plain) const;
};

}  // namespace zp
