#include "pipeline/target.h"

#include <charconv>

#include "base/error.h"

namespace zp {

Target parse_target(std::string_view text) {
  Target target;
  const std::size_t equals = text.find('=');
  const std::string_view left = text.substr(0, equals);
  if (equals != std::string_view::npos) {
    target.path = text.substr(equals + 1);
    if (target.path.empty()) throw UsageError("--to", "no path after '='", {}, std::string(text));
  }
  const std::size_t colon = left.find(':');
  target.container = left.substr(0, colon);
  if (colon != std::string_view::npos) target.grid = left.substr(colon + 1);
  if (target.container.empty() || (colon != std::string_view::npos && target.grid.empty())) {
    throw UsageError("--to", "wrong target", "CONTAINER[:GRID][=PATH]", std::string(text));
  }
  return target;
}

Exception parse_exception(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError("--set", "wrong exception", "ROLE-OR-PATTERN=GRID", std::string(text));
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::string use_name(const TensorUse& use) {
  std::string name = use.layer < 0 ? "" : "layers." + std::to_string(use.layer) + ".";
  name += role_name(use.role);
  return use.part == Part::bias ? name + ".bias" : name;
}

namespace {

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

// "A-B" at the head of the pattern against the number at the head of the name.
bool range_matches(std::string_view part, std::string_view name_part) {
  const std::size_t dash = part.find('-');
  if (dash == std::string_view::npos) return false;
  const std::int64_t first = number(part.substr(0, dash));
  const std::int64_t last = number(part.substr(dash + 1));
  const std::int64_t value = number(name_part);
  return first >= 0 && last >= 0 && value >= first && value <= last;
}

// Iterative, with one point to fall back to: no pattern can make it slow.
bool glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    const bool part_begins = (p == 0 || pattern[p - 1] == '.') && (n == 0 || name[n - 1] == '.');
    const std::string_view part = pattern.substr(p, pattern.find('.', p) - p);
    const std::string_view name_part = name.substr(n, name.find('.', n) - n);
    if (part_begins && range_matches(part, name_part)) {
      p += part.size();
      n += name_part.size();
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool matches(std::string_view pattern, const TensorUse& use) {
  if (pattern.empty()) return true;
  const std::string name = use_name(use);
  while (true) {
    const std::size_t comma = pattern.find(',');
    const std::string_view one = pattern.substr(0, comma);
    if (one == role_name(use.role) && use.part == Part::weight) return true;
    if (glob(one, name) || glob(one, use.hf)) return true;
    if (comma == std::string_view::npos) return false;
    pattern.remove_prefix(comma + 1);
  }
}

}  // namespace zp
