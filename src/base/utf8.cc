#include "base/utf8.h"

namespace zp {
Utf8Unit utf8_unit(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {Utf8Unit::Kind::character, 1};
  if (first < 0xC2 || first > 0xF4) return {};
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // Neither overlong forms nor surrogates nor what lies behind U+10FFFF.
  unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t k = 1; k < bytes; ++k) {
    if (i + k == text.size()) return {Utf8Unit::Kind::cut, k};
    if (byte(k) < low || byte(k) > high) return {Utf8Unit::Kind::broken, k};
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8Unit::Kind::character, bytes};
}

char32_t next_code_point(std::string_view text, std::size_t& i) {
  const Utf8Unit unit = utf8_unit(text, i);
  const auto first = static_cast<unsigned char>(text[i]);
  if (unit.kind != Utf8Unit::Kind::character || unit.bytes == 1) {
    ++i;
    return unit.kind == Utf8Unit::Kind::character ? first : U'\uFFFD';
  }
  char32_t point = first & (0x7Fu >> unit.bytes);
  for (std::size_t k = 1; k < unit.bytes; ++k) {
    point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
  }
  i += unit.bytes;
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
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Unit unit = utf8_unit(text, i);
    if (unit.kind != Utf8Unit::Kind::character) return false;
    i += unit.bytes;
  }
  return true;
}

std::string repair_utf8(std::string_view text) {
  std::string repaired;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Unit unit = utf8_unit(text, i);
    if (unit.kind == Utf8Unit::Kind::character) {
      repaired += text.substr(i, unit.bytes);
    } else {
      append_utf8(repaired, U'\uFFFD');
    }
    i += unit.bytes;
  }
  return repaired;
}

}  // namespace zp
