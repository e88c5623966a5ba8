#include "method/method.h"

#include <algorithm>

#include "base/named.h"

namespace zp {

std::string Method::spec() const {
  const std::string options = options_text(options_);
  return std::string(name_) + (options.empty() ? "" : ":" + options);
}

void Method::set(const std::string& where, std::string_view options) {
  if (options_.empty()) throw UsageError(where, std::string(name_) + " takes no options");
  read_options(where, options, options_);
  check(where);
}

std::size_t choose(std::span<Method* const> all, std::string_view spec, const std::string& kind) {
  const std::string field = "`" + kind + "`";
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  const Method& named = find_named(all, &Method::name, spec.substr(0, colon), field, kind);
  const auto at = std::ranges::find(all, &named);
  if (colon < spec.size()) (*at)->set(field + " " + std::string(spec), spec.substr(colon + 1));
  return static_cast<std::size_t>(at - all.begin());
}

}  // namespace zp
