#include "text/utf8.h"

namespace zp {
namespace {

// Bytes of the valid sequence at text[i], or 0 (overlong forms and surrogates are not valid).
std::size_t sequence_bytes(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned c = byte(i);
  const std::size_t n = c < 0x80   ? 1
                        : c < 0xC2 ? 0
                        : c < 0xE0 ? 2
                        : c < 0xF0 ? 3
                        : c < 0xF5 ? 4
                                   : 0;
  if (n == 0 || n > text.size() - i) return 0;
  for (std::size_t k = 1; k < n; ++k) {
    if ((byte(i + k) & 0xC0u) != 0x80) return 0;
  }
  if (n < 3) return n;
  const unsigned second = byte(i + 1);
  const bool bad = (c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) ||
                   (c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F);
  return bad ? 0 : n;
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& i) {
  const std::size_t n = sequence_bytes(text, i);
  const auto first = static_cast<unsigned char>(text[i]);
  if (n <= 1) {
    ++i;
    return n == 0 ? U'\uFFFD' : first;
  }
  char32_t point = first & (0x7Fu >> n);
  for (std::size_t k = 1; k < n; ++k) {
    point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
  }
  i += n;
  return point;
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
    }
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t n = sequence_bytes(text, i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

}  // namespace zp
