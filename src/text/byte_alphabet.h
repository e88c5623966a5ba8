// GPT-2's alphabet: each byte as one visible character, so that tokens of any bytes are text.
// Printable bytes of Latin-1 stand for themselves; the other 68, in order, are U+0100, U+0101, ...
// (space is U+0120, newline U+010A). Source: bytes_to_unicode() of GPT-2's encoder.py.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zp {

std::string spell_bytes(std::string_view bytes);
/// nullopt when a character isn't of the alphabet.
std::optional<std::string> unspell_bytes(std::string_view text);

}  // namespace zp
