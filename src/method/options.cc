#include "method/options.h"

#include <algorithm>

namespace zp {
namespace {

// "a, b or c"
std::string listed(std::span<const Option> options) {
  std::string out;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (i > 0) out += i + 1 == options.size() ? " or " : ", ";
    out += options[i].name;
  }
  return out;
}

}  // namespace

Option either(std::string_view name, bool& field, std::string_view yes, std::string_view no) {
  return {name, fmt::format("{}|{}", yes, no),
          [&field, yes, no](const std::string& where, std::string_view value) {
            if (value != yes && value != no) {
              throw UsageError(where, fmt::format("neither {} nor {}", yes, no),
                               fmt::format("{} or {}", yes, no), std::string(value));
            }
            field = value == yes;
          },
          [&field, yes, no] { return std::string(field ? yes : no); }};
}

void read_options(const std::string& where, std::string_view text,
                  std::span<const Option> options) {
  for (const std::string_view one : at_commas(text)) {
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      throw UsageError(where, "an option has no value", "OPTION=VALUE", std::string(one));
    const std::string_view name = one.substr(0, equals);
    const auto option = std::ranges::find(options, name, &Option::name);
    if (option == options.end())
      throw UsageError(where, "unknown option", listed(options), std::string(name));
    option->read(where, one.substr(equals + 1));
  }
}

std::string options_text(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    const std::string value = option.text();
    if (!value.empty()) out += fmt::format("{}{}={}", out.empty() ? "" : ",", option.name, value);
  }
  return out;
}

}  // namespace zp
