// What stands beside a decoder, as the library's headers have it.
#pragma once

#include <vector>

#include "model/beside.h"
#include "zeropoint/plan.h"

namespace zeropoint {

std::vector<Beside> beside_of(const std::vector<zp::BesideCount>& counts);

}  // namespace zeropoint
