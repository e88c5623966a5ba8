#include "method/rewrite.h"

#include <algorithm>
#include <utility>

namespace zp {

#define ZP_REWRITE(file) std::unique_ptr<Rewrite> rewrite_##file();
#include "method/rewrites.def"
#undef ZP_REWRITE

std::vector<std::unique_ptr<Rewrite>> rewrites() {
  std::vector<std::unique_ptr<Rewrite>> all;
#define ZP_REWRITE(file) all.push_back(rewrite_##file());
#include "method/rewrites.def"
#undef ZP_REWRITE
  return all;
}

std::vector<std::unique_ptr<Rewrite>> parse_rewrites(std::string_view spec) {
  std::vector<std::unique_ptr<Rewrite>> chosen;
  for (const std::string_view one : at_commas(spec)) {
    std::vector<std::unique_ptr<Rewrite>> all = rewrites();
    std::vector<Method*> methods;
    for (const auto& rewrite : all) methods.push_back(rewrite.get());
    std::unique_ptr<Rewrite> rewrite = std::move(all[choose(methods, one, "rewrite")]);
    if (std::ranges::any_of(chosen, [&](const auto& c) { return c->name() == rewrite->name(); }))
      throw UsageError("`rewrite`", "stands twice", "each once", std::string(one));
    chosen.push_back(std::move(rewrite));
  }
  return chosen;
}

}  // namespace zp
