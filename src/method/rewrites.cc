#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
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

const Rewrite& find_rewrite(std::string_view name) {
  std::string known;
  for (const Rewrite* r : rewrites()) {
    if (r->name == name) return *r;
    known += (known.empty() ? "" : ", ") + std::string(r->name);
  }
  throw UsageError("--rewrite", "unknown rewrite", known, std::string(name));
}

double share(const std::string& where, std::string_view value) {
  double out = -1;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || !(out >= 0) || !(out <= 1))
    throw UsageError(where, "no number in reach", "0 to 1", std::string(value));
  return out;
}

ChosenRewrite parse_one(std::string_view spec) {
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  ChosenRewrite chosen{&find_rewrite(spec.substr(0, colon)), {}};
  if (colon == spec.size()) return chosen;
  const std::string where = "--rewrite " + std::string(spec);
  const std::string_view option = spec.substr(colon + 1);
  const std::string name(chosen.rewrite->option);
  if (name.empty())
    throw UsageError(where, std::string(chosen.rewrite->name) + " takes no options");
  if (!option.starts_with(name + "="))
    throw UsageError(where, "unknown option", name + "=VALUE", std::string(option));
  chosen.options.alpha = share(where, option.substr(name.size() + 1));
  return chosen;
}

}  // namespace

std::vector<ChosenRewrite> parse_rewrites(std::string_view spec) {
  std::vector<ChosenRewrite> all;
  for (std::string_view rest = spec;;) {
    const std::string_view one = rest.substr(0, rest.find(','));
    const ChosenRewrite chosen = parse_one(one);
    if (std::ranges::any_of(all, [&](const auto& c) { return c.rewrite == chosen.rewrite; }))
      throw UsageError("--rewrite", "stands twice", "each once", std::string(one));
    all.push_back(chosen);
    if (one.size() == rest.size()) return all;
    rest.remove_prefix(one.size() + 1);
  }
}

}  // namespace zp
