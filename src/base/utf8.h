// UTF-8: code points in and out of bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zp {

/// What stands at a place in some bytes: a character, a broken part (as many bytes as still begin
/// one, at least one: Unicode's "maximal subpart"), or a character that the end cuts off.
struct Utf8Unit {
  enum class Kind { character, broken, cut };
  Kind kind = Kind::broken;
  std::size_t bytes = 1;
};
Utf8Unit utf8_unit(std::string_view text, std::size_t i);

/// The code point at text[i], moving i behind it. An invalid byte gives U+FFFD and moves by one.
char32_t next_code_point(std::string_view text, std::size_t& i);
void append_utf8(std::string& text, char32_t code_point);
bool is_utf8(std::string_view text);
/// Each broken part replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

}  // namespace zp
