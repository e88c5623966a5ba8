#include "pipeline/target.h"

#include "base/named.h"
#include "grid/spelling.h"

namespace zp {

Target parse_target(std::string_view text) {
  Target target;
  const std::size_t equals = text.find('=');
  const std::string_view left = text.substr(0, equals);
  if (equals != std::string_view::npos) {
    target.path = text.substr(equals + 1);
    if (target.path.empty()) throw UsageError("`to`", "no path after '='", {}, std::string(text));
  }
  const std::size_t colon = left.find(':');
  target.container = lower_case(left.substr(0, colon));
  if (colon != std::string_view::npos) target.grid = canonical_spelling(left.substr(colon + 1));
  if (target.container.empty() || (colon != std::string_view::npos && target.grid.empty())) {
    throw UsageError("`to`", "wrong target", "CONTAINER[:GRID][=PATH]", std::string(text));
  }
  return target;
}

Exception parse_exception(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError("`set`", "wrong exception", "ROLE-OR-PATTERN=GRID", std::string(text));
  }
  return {std::string(text.substr(0, equals)), canonical_spelling(text.substr(equals + 1))};
}

}  // namespace zp
