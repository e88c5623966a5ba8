// One of a list by its name, or an error that says which names there are.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace zp {

/// The element of `all`, pointers, whose `name` (a member) is `wanted`. Throws UsageError: `where`,
/// "unknown " and `what`, the names there are.
template <class All, class Name>
const auto& find_named(const All& all, Name name, std::string_view wanted, const std::string& where,
                       const std::string& what) {
  std::string known;
  for (const auto* one : all) {
    const std::string_view here = std::invoke(name, *one);
    if (here == wanted) return *one;
    known += (known.empty() ? "" : ", ") + std::string(here);
  }
  throw UsageError(where, "unknown " + what, known, std::string(wanted));
}

}  // namespace zp
