// What stands behind a method's or a rewrite's name: "gptq:damp=0.02,order=on".
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace zp {

/// "a,b" as {"a", "b"}; never empty.
inline std::vector<std::string_view> at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

/// The number that is all of `value`. Throws UsageError for anything else, and outside `least` to
/// `most`.
template <class T>
T number(const std::string& where, std::string_view value, T least, T most) {
  T out{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || !(out >= least) ||
      !(out <= most)) {
    throw UsageError(where, "no number in reach", fmt::format("{} to {}", least, most),
                     std::string(value));
  }
  return out;
}

}  // namespace zp
