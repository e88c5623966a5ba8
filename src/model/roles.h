// The roles there are, for listings.
#pragma once

#include <span>
#include <string_view>

#include "model/architecture.h"

namespace zp {

struct RoleRow {
  Role role;
  std::string_view name;
  bool matrix;  ///< it multiplies activations or is looked up, and is no norm
  std::string_view summary;
};

/// In the order of a network.
std::span<const RoleRow> role_rows();

}  // namespace zp
