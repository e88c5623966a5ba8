// Bytes of a text as people can read them on one line.
#pragma once

#include <string>
#include <string_view>

namespace zp {

/// In quotes, with what isn't seen (control characters, broken UTF-8) as escapes: "\n", "\xE0".
std::string shown(std::string_view bytes);

}  // namespace zp
