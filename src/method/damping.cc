#include "method/damping.h"

#include <algorithm>

namespace zp {
namespace {

constexpr double kTimes = 6;  // columns / rows

}  // namespace

double default_shrink(std::int64_t columns, std::int64_t rows) {
  return kTimes * static_cast<double>(columns) /
         static_cast<double>(std::max(rows, std::int64_t{1}));
}

}  // namespace zp
