// Names that people type: one of a list by its name, whatever the case, or an error that says which
// names there are and which was probably meant.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace zp {

/// ASCII letters made small: names here have no capital ones.
std::string lower_case(std::string_view name);

/// The one of `known` that differs from `wanted` in the fewest letters (left out, put in, another,
/// or two swapped), where that is at most a third of them; else empty. Case doesn't count.
std::string closest_name(std::string_view wanted, std::span<const std::string> known);

/// "unknown WHAT" and, where one is close, "(did you mean NAME?)".
std::string unknown_name(const std::string& what, std::string_view wanted,
                         std::span<const std::string> known);

/// Throws UsageError: `where`, unknown_name(), the names there are.
[[noreturn]] void throw_unknown(const std::string& where, const std::string& what,
                                std::string_view wanted, std::span<const std::string> known);

/// The element of `all`, pointers, whose `name` (a member) is `wanted`. Throws as throw_unknown().
template <class All, class Name>
const auto& find_named(const All& all, Name name, std::string_view wanted, const std::string& where,
                       const std::string& what) {
  const std::string lower = lower_case(wanted);
  std::vector<std::string> known;
  for (const auto* one : all) {
    const std::string_view here = std::invoke(name, *one);
    if (here == lower) return *one;
    known.emplace_back(here);
  }
  throw_unknown(where, what, wanted, known);
}

}  // namespace zp
