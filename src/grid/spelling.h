// How people spell grids.
#pragma once

#include <string>
#include <string_view>

namespace zp {

/// The one spelling of what may be written in several: small letters, and fp16 for f16.
std::string canonical_spelling(std::string_view spec);

}  // namespace zp
