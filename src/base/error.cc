#include "base/error.h"

#include <utility>

namespace zp {
namespace {

// Length of the valid UTF-8 sequence at text[i], or 0.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char c = byte(i);
  const std::size_t length = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::string join(const Error::Parts& p) {
  std::string text = printable(p.where);
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
    const std::size_t length = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (out.size() + (length > 1 ? length : 1) > limit) {
      out += "...";
      break;
    }
    if (length == 0 || c < 0x20 || c == 0x7F) {
      out += '?';
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

Error::Error(Parts parts) : std::runtime_error(join(parts)), parts_(std::move(parts)) {}

Error::Error(std::string where, std::string what, std::string expected, std::string found)
    : Error(Parts{std::move(where), std::move(what), std::move(expected), std::move(found)}) {}

}  // namespace zp
