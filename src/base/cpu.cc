#include "base/cpu.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <array>

#include "base/named.h"

namespace zp {
namespace {

// Highway counts AVX-512 as AVX3.
struct KnownAs {
  std::int64_t target;
  std::string_view name;
};
constexpr std::array kKnownAs = {
    KnownAs{HWY_AVX3_DL, "avx512-vnni"},
    KnownAs{HWY_AVX3, "avx512"},
};

std::string highway_name(std::int64_t target) { return lower_case(hwy::TargetName(target)); }

std::string name_of(std::int64_t target) {
  const auto known = std::ranges::find(kKnownAs, target, &KnownAs::target);
  return known != kKnownAs.end() ? std::string(known->name) : highway_name(target);
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
  for (const std::int64_t t : targets()) names.push_back(name_of(t));
  return names;
}

void limit_instruction_set(std::string_view name) {
  const std::string lower = lower_case(name);
  std::int64_t better = 0;
  for (const std::int64_t t : targets()) {
    if (name_of(t) == lower || highway_name(t) == lower) {
      hwy::DisableTargets(better);
      return;
    }
    better |= t;
  }
  throw_unknown("`cpu`", "instruction set", name, instruction_sets());
}

}  // namespace zp
