#include "calibrate/layer_statistics.h"

#include <algorithm>

namespace zp {
namespace {

constexpr double kLookedUp = 0.5;  // of the mean second moment

}  // namespace

Role input_role(const Decoder& decoder, Role role) {
  switch (role) {
    case Role::key:
    case Role::value:
    case Role::qkv:
      return Role::query;
    case Role::up:
    case Role::gate:
    case Role::gate_up:
      return decoder.parallel ? Role::query : Role::gate;
    case Role::embedding:
      return decoder.tied ? Role::head : role;
    default:
      return role;
  }
}

bool has_inputs(const Decoder& decoder, const TensorUse& use) {
  if (!is_matrix(use.role) || use.part == Part::bias || use.role == Role::position) return false;
  return use.role != Role::embedding || decoder.tied;
}

// A tied embedding is looked up, too, and there an error counts alike in every column.
MethodOptions options_for(const Decoder& decoder, Role role, MethodOptions options) {
  if (role == Role::head && decoder.tied) options.damp = std::max(options.damp, kLookedUp);
  return options;
}

}  // namespace zp
