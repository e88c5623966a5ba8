// Names with {} for numbers, and what stands in front of them.
#pragma once

#include <string>
#include <string_view>

#include "model/architecture.h"

namespace zp {

inline constexpr std::string_view kNumber = "{}";

/// The first {} is the layer's number, a second one the expert's.
inline std::string numbered_name(std::string_view pattern, Place place) {
  std::string name(pattern);
  for (const std::int64_t number : {place.layer, place.expert}) {
    const auto at = name.find(kNumber);
    if (at == std::string::npos) break;
    name.replace(at, kNumber.size(), std::to_string(number));
  }
  return name;
}

/// What a checkpoint's names may lack in front, where this one has it.
inline std::string_view prefix_of(const Architecture& architecture, World world,
                                  std::string_view name) {
  const std::string_view prefix = architecture.optional_prefix;
  return world == World::hf && name.starts_with(prefix) ? prefix : std::string_view();
}

}  // namespace zp
