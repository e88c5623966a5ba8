// Python's rules for texts, where templates show them: white space, code points, case, repr().
//
// Case follows Unicode's one-to-one mappings. The few characters that become several ("straße" in
// capitals) are looked up in a table of the full mappings; final sigma is the one rule by context.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zp::jinja {

bool is_space(char32_t c);
enum class Side { kLeft = 1, kRight = 2, kBoth = 3 };
/// Without white space at the ends, or without the code points of `*chars`.
std::string_view strip(std::string_view text, Side side, const std::string* chars = nullptr);

std::int64_t count_code_points(std::string_view text);
/// The byte where code point `index` begins; text.size() when there are no more.
std::size_t byte_of(std::string_view text, std::int64_t index);
std::u32string code_points(std::string_view text);
std::string utf8(std::u32string_view text);

/// text.find(part, from), in time that doesn't grow with the product of both.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// The first letter in title case, the others in lower case.
std::string capitalize(std::string_view text);
/// str.title(): a new word begins after whatever is no letter.
std::string title(std::string_view text);

enum class Letters { kAlpha, kDigit, kDecimal, kNumeric, kAlnum, kSpace };
/// str.isalpha() and the like: true when there is text and all of it is such.
bool all_are(std::string_view text, Letters kind);
/// str.isupper(), str.islower(): some cased letters, and none of the other case.
bool is_upper(std::string_view text);
bool is_lower(std::string_view text);
/// What the regular expression \w takes, and what Python takes for a name.
bool is_word(char32_t c);
bool is_identifier(std::string_view text);

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
std::vector<std::string_view> split_words(std::string_view text, std::int64_t most,
                                          bool from_right);

/// repr() of a text and of a number; str() of a number is the same.
std::string repr(std::string_view text);
std::string repr(double value);
/// int(text, base) and float(text); empty for what they refuse.
/// Throws std::out_of_range when the integer is beyond 64 bits.
std::optional<std::int64_t> parse_integer(std::string_view text, int base);
std::optional<double> parse_real(std::string_view text);

}  // namespace zp::jinja
