// UTF-8: code points in and out of bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zp {

/// The code point at text[i], moving i behind it. An invalid byte gives U+FFFD and moves by one.
char32_t next_code_point(std::string_view text, std::size_t& i);
void append_utf8(std::string& text, char32_t code_point);
bool is_utf8(std::string_view text);

}  // namespace zp
