// Characters that are drawn with the one before them: a text isn't cut there where people read it.
#pragma once

namespace zp {

/// Whether `c` is a combining mark, vowel sign or joiner (Unicode's Extend, SpacingMark and ZWJ),
/// or stands behind a virama, with which it makes a conjunct.
bool is_joined(char32_t before, char32_t c);

}  // namespace zp
