// Regular expressions of tokenizer.json, written for Oniguruma (Ruby's syntax), in PCRE2's words.
//
// What means something else in the two, and is rewritten:
//   \s \S \w \W      Oniguruma's sets are spelled out (PCRE2's \s has U+180E, its \w no marks)
//   \p{..} \d        characters of Unicode 15 and 16 are added, PCRE2 10.42 knows 14
//   \h \H            a hexadecimal digit, not a blank
//   \uHHHH           \x{HHHH}
//   {2,3}+           the whole again and again, not "possessive"; {,3} is {0,3}
//   (?m)             the dot takes line ends, too
// Refused: set operations (&&), sets in sets, \P or \S \W \H within a set where they would need the
// additions taken out. Scripts (\p{Han}) stay those of PCRE2's Unicode version.
#pragma once

#include <string>
#include <string_view>

namespace zp {

/// The pattern for PCRE2 with UTF, UCP and MULTILINE set. Throws Error at `where`.
std::string pcre2_pattern(std::string_view oniguruma, const std::string& where);

}  // namespace zp
