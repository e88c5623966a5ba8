// A model that was read back, as its container would write it again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "container/container.h"

namespace zp {

/// Every weight with the grid it is stored in. Throws Error at `where` for one that isn't accepted: no
/// graph that is written here has it.
std::vector<Assignment> as_stored(
    const Model& model, const std::string& where,
    const std::function<Verdict(const Grid&, const TensorUse&)>& accepts);

}  // namespace zp
