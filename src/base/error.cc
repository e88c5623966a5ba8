#include "base/error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zp {
namespace {

struct Utf8 {
  std::size_t length = 0;  ///< bytes, or 0 when they are no valid UTF-8
  char32_t code = 0;
};

Utf8 utf8_at(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x80) return {1, c};
  const std::size_t length = c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
  if (length == 0 || i + length > text.size()) return {};
  char32_t code = c & (0x7Fu >> length);
  for (std::size_t k = 1; k < length; ++k) {
    const auto next = static_cast<unsigned char>(text[i + k]);
    if ((next & 0xC0) != 0x80) return {};
    code = code << 6 | (next & 0x3Fu);
  }
  constexpr std::array<char32_t, 5> kFirstOfLength = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kFirstOfLength[length] || surrogate || code > 0x10FFFF) return {};
  return {length, code};
}

// Controls, what some readers take for a line's end, and marks that reorder the text around them.
bool unprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string join(const Error::Parts& p) {
  std::string text = printable(p.where, 600);
  const auto add = [&text](std::string_view glue, std::string_view part) {
    if (part.empty()) return;
    if (!text.empty()) text += glue;
    text += part;
  };
  add(": ", printable(p.what, 600));
  if (!p.expected.empty()) add(": expected ", printable(p.expected, 600));
  if (!p.found.empty()) add(p.expected.empty() ? ": found " : ", found ", printable(p.found));
  return text;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const Utf8 c = utf8_at(text, i);
    const bool keep = c.length > 0 && !unprintable(c.code);
    if (out.size() + (keep ? c.length : 1) > limit) {
      out += "...";
      break;
    }
    out += keep ? text.substr(i, c.length) : "?";
    i += std::max<std::size_t>(c.length, 1);
  }
  return out;
}

Error::Error(Parts parts) : std::runtime_error(join(parts)), parts_(std::move(parts)) {}

Error::Error(std::string where, std::string what, std::string expected, std::string found)
    : Error(Parts{std::move(where), std::move(what), std::move(expected), std::move(found)}) {}

}  // namespace zp
