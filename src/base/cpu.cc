#include "base/cpu.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace zp {
namespace {

std::string lower_name(std::int64_t target) {
  std::string name = hwy::TargetName(target);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// Best first: Highway gives better targets lower bits. Taken once, before any limit.
const std::vector<std::int64_t>& targets() {
  static const std::vector<std::int64_t> all = [] {
    std::vector<std::int64_t> found;
    for (std::int64_t bits = hwy::SupportedTargets() & HWY_TARGETS; bits != 0; bits &= bits - 1) {
      found.push_back(bits & -bits);
    }
    return found;
  }();
  return all;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t t : targets()) names.push_back(lower_name(t));
  return names;
}

void limit_instruction_set(std::string_view name) {
  std::string known;
  std::int64_t better = 0;
  for (const std::int64_t t : targets()) {
    if (lower_name(t) == name) {
      hwy::DisableTargets(better);
      return;
    }
    better |= t;
    known += (known.empty() ? "" : ", ") + lower_name(t);
  }
  throw UsageError("--cpu", "unknown instruction set", known, std::string(name));
}

}  // namespace zp
