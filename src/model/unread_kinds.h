// Kinds of models that are recognized by a field of config.json, so that a refusal can name them.
#pragma once

#include <string_view>

#include "base/json.h"

namespace zp {

/// "a mixture of experts"; empty when the field says nothing of a kind.
std::string_view unread_kind_of(std::string_view field);
/// By the fields that have a value other than null, false, 0 and nothing; empty when none says a
/// kind.
std::string_view unread_kind_in(const Json& config);

}  // namespace zp
