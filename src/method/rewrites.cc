#include <algorithm>
#include <array>

#include "base/named.h"
#include "method/option_values.h"
#include "method/rewrite.h"

namespace zp {

#define ZP_REWRITE(file) extern const Rewrite rewrite_##file;
#include "method/rewrites.def"
#undef ZP_REWRITE

std::span<const Rewrite* const> rewrites() {
#define ZP_REWRITE(file) &rewrite_##file,
  static constexpr std::array all = {
#include "method/rewrites.def"
  };
#undef ZP_REWRITE
  return all;
}

namespace {

ChosenRewrite parse_one(std::string_view spec) {
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  ChosenRewrite chosen{
      &find_named(rewrites(), &Rewrite::name, spec.substr(0, colon), "`rewrite`", "rewrite"), {}};
  if (colon == spec.size()) return chosen;
  const std::string where = "`rewrite` " + std::string(spec);
  const std::string_view option = spec.substr(colon + 1);
  const std::string name(chosen.rewrite->option);
  if (name.empty())
    throw UsageError(where, std::string(chosen.rewrite->name) + " takes no options");
  if (!option.starts_with(name + "="))
    throw UsageError(where, "unknown option", name + "=VALUE", std::string(option));
  chosen.options.alpha = number(where, option.substr(name.size() + 1), 0.0, 1.0);
  return chosen;
}

}  // namespace

std::vector<ChosenRewrite> parse_rewrites(std::string_view spec) {
  std::vector<ChosenRewrite> all;
  for (const std::string_view one : at_commas(spec)) {
    const ChosenRewrite chosen = parse_one(one);
    if (std::ranges::any_of(all, [&](const auto& c) { return c.rewrite == chosen.rewrite; }))
      throw UsageError("`rewrite`", "stands twice", "each once", std::string(one));
    all.push_back(chosen);
  }
  return all;
}

}  // namespace zp
