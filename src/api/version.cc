#include "base/version.h"

#include "zeropoint/zeropoint.h"

namespace zeropoint {

std::string_view version() { return zp::kVersion; }

}  // namespace zeropoint
