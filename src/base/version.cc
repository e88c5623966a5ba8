#include "base/version.h"

namespace zp {

const std::string_view kVersion = ZEROPOINT_VERSION;

}  // namespace zp
