// Names with {} for numbers.
#pragma once

#include <string>
#include <string_view>

#include "model/place.h"

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

}  // namespace zp
