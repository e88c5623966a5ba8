#include "method/damping.h"

namespace zp {

double default_shrink(std::int64_t columns, std::int64_t rows) {
  return 0.1 + 2 * static_cast<double>(columns) / static_cast<double>(rows > 0 ? rows : 1);
}

}  // namespace zp
