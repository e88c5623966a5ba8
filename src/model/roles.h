// The roles there are, for listings.
#pragma once

#include <span>
#include <string_view>

#include "model/architecture.h"

namespace zp {

enum class RoleKind {
  matrix,  ///< it multiplies activations or is looked up
  norm,    ///< of the model's kind
  other,   ///< numbers that are neither
};

struct RoleRow {
  Role role;
  std::string_view name;
  RoleKind kind;
  std::string_view summary;
  bool floating = false;  ///< a matrix of few rows that stays in floating point
};

/// In the order of a network.
std::span<const RoleRow> role_rows();

}  // namespace zp
