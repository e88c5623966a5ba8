// A conversation, as files hold it and chat templates are given it.
#pragma once

#include "base/json.h"

namespace zp {

struct Chat {
  /// Objects with "role", mostly "content", and whatever else a message has: "tool_calls", "name",
  /// "reasoning_content", ...
  Json messages = Json::array();
  /// Further variables of the template, such as "tools", "documents" or "enable_thinking". They
  /// come last and may replace all others, "messages" too.
  Json variables = Json::object();
};

}  // namespace zp
