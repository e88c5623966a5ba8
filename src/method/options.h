// What stands behind a method's name: "gptq:damp=0.02,order=on". Each option is bound to the field
// that it sets, so whoever has an option says once how it is read, shown and hashed.
#pragma once

#include <fmt/core.h>

#include <charconv>
#include <functional>
#include <optional>
#include <span>
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

struct Option {
  std::string_view name;
  std::string values;  ///< for people: "on|off", "X", "N"
  /// Sets the field. `where` begins messages. Throws UsageError.
  std::function<void(const std::string& where, std::string_view value)> read;
  /// What the field is; empty: nothing. read() takes it.
  std::function<std::string()> text;
};

/// One of two words.
Option either(std::string_view name, bool& field, std::string_view yes, std::string_view no);

/// A number from `least` to `most`.
template <class T>
Option number_within(std::string_view name, std::string values, T& field, T least, T most) {
  return {name, std::move(values),
          [&field, least, most](const std::string& where, std::string_view value) {
            field = number(where, value, least, most);
          },
          [&field] { return fmt::format("{}", field); }};
}
/// The same, where nothing has a meaning of its own.
template <class T>
Option number_within(std::string_view name, std::string values, std::optional<T>& field, T least,
                     T most) {
  return {name, std::move(values),
          [&field, least, most](const std::string& where, std::string_view value) {
            field = number(where, value, least, most);
          },
          [&field] { return field ? fmt::format("{}", *field) : std::string(); }};
}

/// Sets what "NAME=VALUE,..." says. Throws UsageError.
void read_options(const std::string& where, std::string_view text, std::span<const Option> options);
/// "NAME=VALUE,..." of all that have a value.
std::string options_text(std::span<const Option> options);

}  // namespace zp
