#include "base/error.h"

#include <utility>

#include "base/utf8.h"

namespace zp {
namespace {

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
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const bool whole = utf8_unit(text, begin).kind == Utf8Unit::Kind::character;
    const bool keep = !unprintable(next_code_point(text, i)) && whole;
    if (out.size() + (keep ? i - begin : 1) > limit) {
      out += "...";
      break;
    }
    out += keep ? text.substr(begin, i - begin) : "?";
  }
  return out;
}

Error::Error(Parts parts) : std::runtime_error(join(parts)), parts_(std::move(parts)) {}

Error::Error(std::string where, std::string what, std::string expected, std::string found)
    : Error(Parts{std::move(where), std::move(what), std::move(expected), std::move(found)}) {}

}  // namespace zp
