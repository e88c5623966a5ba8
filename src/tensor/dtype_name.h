// An element type by its name.
#pragma once

#include <string_view>

#include "tensor/dtype.h"

namespace zp {

/// Of ours ("bf16"); nullptr: no element type's.
const DTypeInfo* dtype_of_name(std::string_view name);

}  // namespace zp
