#include "jinja/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/utf8.h"

namespace zp::jinja {
namespace {

struct Capitals {
  char32_t from;
  char32_t upper[3];
  char32_t title[3];
};

constexpr Capitals kCapitals[] = {
#include "jinja/case.inc"
};

const Capitals* capitals_of(char32_t c) {
  const Capitals* found =
      std::lower_bound(std::begin(kCapitals), std::end(kCapitals), c,
                       [](const Capitals& entry, char32_t value) { return entry.from < value; });
  return found != std::end(kCapitals) && found->from == c ? found : nullptr;
}

void append_all(std::string& out, const char32_t (&several)[3]) {
  for (const char32_t c : several) {
    if (c != 0) append_utf8(out, c);
  }
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_cased(char32_t c) {
  const auto k = category(c);
  const auto point = static_cast<utf8proc_int32_t>(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
         utf8proc_isupper(point) || utf8proc_islower(point);
}

// What stands between the letters of a word without ending it (Unicode's Case_Ignorable).
bool is_case_ignorable(char32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF ||
         k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' ||
         c == ':' || c == 0xB7 || c == 0x2018 || c == 0x2019 || c == 0x2024 || c == 0x2027;
}

bool is_final_sigma(const std::u32string& text, std::size_t i) {
  std::size_t before = i;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  std::size_t after = i + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(std::string& out, const std::u32string& text, std::size_t i) {
  const char32_t c = text[i];
  if (c == 0x130) {
    out += "i\xCC\x87";
  } else if (c == 0x3A3) {
    append_utf8(out, is_final_sigma(text, i) ? 0x3C2 : 0x3C3);
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

void append_title(std::string& out, char32_t c) {
  if (const Capitals* several = capitals_of(c)) return append_all(out, several->title);
  append_utf8(out, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
}

// A decimal digit's value: digits stand in runs of ten, each run beginning with its zero.
int digit_value(char32_t c) {
  if (category(c) != UTF8PROC_CATEGORY_ND) return -1;
  int before = 0;
  while (category(c - static_cast<char32_t>(before) - 1) == UTF8PROC_CATEGORY_ND) ++before;
  return before % 10;
}

// Digits of any script as ASCII, without the underscores that may stand between two digits;
// empty when an underscore stands elsewhere.
std::optional<std::string> plain_number(std::string_view text) {
  std::string out;
  bool digit = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const int value = digit_value(c);
    if (c == '_') {
      if (!digit || i >= text.size()) return std::nullopt;
      std::size_t ahead = i;
      const char32_t after = next_code_point(text, ahead);
      if (digit_value(after) < 0 && !(after < 128 && std::isalnum(static_cast<int>(after)))) {
        return std::nullopt;
      }
      digit = false;
      continue;
    }
    digit = value >= 0 || (c < 128 && std::isalpha(static_cast<int>(c)));
    if (value >= 0) {
      out += static_cast<char>('0' + value);
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  const auto k = category(c);
  return !(k == UTF8PROC_CATEGORY_CN || (k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_CO));
}

void append_hex(std::string& out, const char* prefix, char32_t c, int digits) {
  out += prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[c >> shift & 15];
  }
}

}  // namespace

bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string_view strip(std::string_view text, Side side, const std::string* chars) {
  const std::u32string set = chars != nullptr ? code_points(*chars) : std::u32string();
  const auto goes = [&](char32_t c) {
    return chars != nullptr ? set.find(c) != set.npos : is_space(c);
  };
  if (static_cast<int>(side) & 1) {
    for (std::size_t i = 0; i < text.size();) {
      if (!goes(next_code_point(text, i))) break;
      text.remove_prefix(i);
      i = 0;
    }
  }
  while ((static_cast<int>(side) & 2) && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    std::size_t i = begin;
    if (!goes(next_code_point(text, i))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

std::int64_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::size_t byte_of(std::string_view text, std::int64_t index) {
  std::size_t i = 0;
  for (; index > 0 && i < text.size(); --index) next_code_point(text, i);
  return i;
}

std::u32string code_points(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) out += next_code_point(text, i);
  return out;
}

std::string utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

std::size_t find_text(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return text.npos;
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data())
                          : text.npos;
}

std::string upper(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (const Capitals* several = capitals_of(c)) {
      append_all(out, several->upper);
    } else {
      append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  const std::u32string points = code_points(text);
  std::string out;
  for (std::size_t i = 0; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}

std::string capitalize(std::string_view text) {
  const std::u32string points = code_points(text);
  std::string out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    i == 0 ? append_title(out, points[i]) : append_lower(out, points, i);
  }
  return out;
}

std::string title(std::string_view text) {
  const std::u32string points = code_points(text);
  std::string out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool inside = i > 0 && is_cased(points[i - 1]);
    inside ? append_lower(out, points, i) : append_title(out, points[i]);
  }
  return out;
}

bool all_are(std::string_view text, Letters kind) {
  const auto is = [kind](char32_t c) {
    const auto k = category(c);
    const bool digit = k == UTF8PROC_CATEGORY_ND || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
                       c == 0x2070 || (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089);
    const bool numeric = digit || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
    switch (kind) {
      case Letters::kAlpha:
        return is_letter(c);
      case Letters::kDecimal:
        return k == UTF8PROC_CATEGORY_ND;
      case Letters::kDigit:
        return digit;
      case Letters::kNumeric:
        return numeric;
      case Letters::kAlnum:
        return numeric || is_letter(c);
      case Letters::kSpace:
        return is_space(c);
    }
    return false;
  };
  for (std::size_t i = 0; i < text.size();) {
    if (!is(next_code_point(text, i))) return false;
  }
  return !text.empty();
}

namespace {

bool has_one_case(std::string_view text, bool want_upper) {
  bool found = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<utf8proc_int32_t>(next_code_point(text, i));
    const bool up = utf8proc_isupper(c) != 0, low = utf8proc_islower(c) != 0;
    if ((want_upper ? low : up) || utf8proc_category(c) == UTF8PROC_CATEGORY_LT) return false;
    found = found || (want_upper ? up : low);
  }
  return found;
}

}  // namespace

bool is_upper(std::string_view text) { return has_one_case(text, true); }
bool is_lower(std::string_view text) { return has_one_case(text, false); }

bool is_word(char32_t c) {
  if (c < 128) return std::isalnum(static_cast<int>(c)) || c == '_';
  const auto k = category(c);
  return is_letter(c) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL ||
         k == UTF8PROC_CATEGORY_NO;
}

bool is_identifier(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const char32_t c = next_code_point(text, i);
    const auto k = category(c);
    if (c == '_' || is_letter(c) || k == UTF8PROC_CATEGORY_NL) continue;
    if (first || k != UTF8PROC_CATEGORY_ND) return false;
  }
  return !text.empty();
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = i;
    const char32_t c = next_code_point(text, i);
    const bool ends =
        (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!ends) continue;
    if (c == '\r' && i < text.size() && text[i] == '\n') ++i;
    lines.push_back(text.substr(begin, (keep_ends ? i : end) - begin));
    begin = i;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::vector<std::string_view> split_words(std::string_view text, std::int64_t most,
                                          bool from_right) {
  std::vector<std::string_view> words;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const bool space = is_space(next_code_point(text, i));
    if (!space && !inside) words.push_back(text.substr(begin, 0));
    if (!space) words.back() = {words.back().data(), words.back().size() + i - begin};
    inside = !space;
  }
  if (most < 0 || static_cast<std::int64_t>(words.size()) <= most) return words;
  // What is left over is one piece, white space and all.
  const auto n = static_cast<std::size_t>(most);
  if (from_right) {
    const std::string_view rest = words[words.size() - n - 1];
    words.erase(words.begin(), words.end() - most - 1);
    words[0] = text.substr(0, static_cast<std::size_t>(rest.data() - text.data()) + rest.size());
  } else {
    const auto begin = static_cast<std::size_t>(words[n].data() - text.data());
    words.resize(n + 1);
    words[n] = text.substr(begin);
  }
  return words;
}

std::string repr(std::string_view text) {
  const bool single = text.find('\'') != text.npos, twice = text.find('"') != text.npos;
  const char quote = single && !twice ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      append_utf8(out, c);
    } else if (c < 0x100) {
      append_hex(out, "\\x", c, 2);
    } else if (c < 0x10000) {
      append_hex(out, "\\u", c, 4);
    } else {
      append_hex(out, "\\U", c, 8);
    }
  }
  return out + quote;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  std::string text(buffer.data(), end);
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent < -4 || exponent >= 16) return text;
  const bool negative = text[0] == '-';
  std::string digits = text.substr(negative, e - negative);
  std::erase(digits, '.');
  if (exponent < 0) {
    digits = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() < whole + 1) digits.resize(whole + 1, '0');
    digits.insert(whole, ".");
  }
  return (negative ? "-" : "") + digits;
}

std::optional<std::int64_t> parse_integer(std::string_view text, int base) {
  std::optional<std::string> plain = plain_number(strip(text, Side::kBoth));
  if (!plain || plain->empty()) return std::nullopt;
  std::string digits = *plain;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.erase(0, 1);
  const char letter =
      digits.size() > 2 && digits[0] == '0' ? static_cast<char>(digits[1] | 32) : ' ';
  const int prefix = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (prefix != 0 && (base == prefix || base == 0)) {
    digits.erase(0, 2);
    base = prefix;
  } else if (base == 0) {
    base = 10;
    if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != digits.npos) {
      return std::nullopt;
    }
  }
  if (digits.empty() || digits[0] == '-') return std::nullopt;
  if (negative) digits.insert(0, "-");
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (end != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) throw std::out_of_range("integer");
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> parse_real(std::string_view text) {
  const std::optional<std::string> plain = plain_number(strip(text, Side::kBoth));
  if (!plain || plain->empty()) return std::nullopt;
  std::string_view digits = *plain;
  if (digits[0] == '+') digits.remove_prefix(1);
  if (digits.empty() || digits[0] == '+' || digits.find('(') != digits.npos) return std::nullopt;
  if ((*plain)[0] == '+' && digits[0] == '-') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return std::nullopt;
  // Beyond a double's range strtod knows which end it is.
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(digits).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace zp::jinja
