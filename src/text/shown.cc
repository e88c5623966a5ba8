#include "text/shown.h"

#include <fmt/core.h>

#include "base/utf8.h"

namespace zp {

std::string shown(std::string_view bytes) {
  std::string out = "\"";
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Unit unit = utf8_unit(bytes, i);
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool control = unit.bytes == 1 && (byte < 0x20 || byte == 0x7F);
    if (bytes[i] == '\n') {
      out += "\\n";
    } else if (bytes[i] == '"' || bytes[i] == '\\') {
      out += {'\\', bytes[i]};
    } else if (unit.kind == Utf8Unit::Kind::character && !control) {
      out += bytes.substr(i, unit.bytes);
    } else {
      for (std::size_t k = 0; k < unit.bytes; ++k)
        out += fmt::format("\\x{:02X}", static_cast<unsigned char>(bytes[i + k]));
    }
    i += unit.bytes;
  }
  return out + "\"";
}

}  // namespace zp
