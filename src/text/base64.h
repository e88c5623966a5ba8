// Base64 with padding (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zp {

/// nullopt for anything else, empty text included.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace zp
