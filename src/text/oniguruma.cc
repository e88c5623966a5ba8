#include "text/oniguruma.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.h"

namespace zp {
namespace {

struct Addition {
  std::string_view category;
  std::uint32_t first;
  std::uint32_t last;
};

constexpr Addition kAdditions[] = {
#include "text/unicode_additions.inc"
};

// The inside of a set.
constexpr std::string_view kSpace =
    R"(\t-\r\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kNotSpace =
    R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF})"
    R"(\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{D7FF})"
    R"(\x{E000}-\x{10FFFF})";
constexpr std::string_view kHex = "0-9a-fA-F";
// \w beside the categories: letters in circles and squares, raised digits and vulgar fractions.
constexpr std::string_view kOtherWord =
    R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169})"
    R"(\x{1F170}-\x{1F189})";
constexpr std::array<std::string_view, 5> kWordCategories = {"L", "M", "Nd", "Nl", "Pc"};

std::string members(std::string_view category) {
  std::string set = fmt::format("\\p{{{}}}", category);
  if (category.empty()) return set;
  for (const Addition& a : kAdditions) {
    if (a.category.substr(0, category.size()) != category) continue;
    set += fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", a.first, a.last);
  }
  return set;
}

std::string word_members() {
  std::string set(kOtherWord);
  for (const std::string_view category : kWordCategories) set += members(category);
  return set;
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where)
      : pattern_(pattern), where_(where) {}

  std::string run() {
    while (at_ < pattern_.size()) element();
    return out_;
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    throw Error(where_, std::string("regular expression: ") + what + " not supported", {},
                std::string(pattern_));
  }

  bool more(std::size_t k = 0) const { return at_ + k < pattern_.size(); }
  char peek(std::size_t k = 0) const { return more(k) ? pattern_[at_ + k] : '\0'; }

  void element() {
    const char c = peek();
    if (c == '\\') return escape();
    if (c == '[') return set();
    if (c == '(') return open_group();
    if (c == ')') return close_group();
    if (c == '{') return braces();
    if (c != '*' && c != '+' && c != '?') atom_ = out_.size();
    copy();
  }

  void copy() {
    out_ += pattern_[at_];
    ++at_;
  }

  // Beginnings of open groups, so that a quantifier behind ")" finds what it repeats.
  void open_group() {
    groups_.push_back(out_.size());
    copy();
    if (peek() != '?') return;
    copy();
    while ((peek() >= 'a' && peek() <= 'z') || peek() == '-') {
      out_ += peek() == 'm' ? 's' : peek();
      ++at_;
    }
    if (peek() != ')') return;
    copy();
    atom_ = groups_.back();
    groups_.pop_back();
  }

  void close_group() {
    copy();
    if (groups_.empty()) refuse("a parenthesis without its partner is");
    atom_ = groups_.back();
    groups_.pop_back();
  }

  void braces() {
    std::size_t end = at_ + 1;
    bool digits = false;
    const auto skip_digits = [&] {
      for (; end < pattern_.size() && pattern_[end] >= '0' && pattern_[end] <= '9'; ++end)
        digits = true;
    };
    const bool no_minimum = peek(1) == ',';
    skip_digits();
    if (end < pattern_.size() && pattern_[end] == ',') ++end;
    skip_digits();
    if (!digits || end >= pattern_.size() || pattern_[end] != '}') {
      atom_ = out_.size();
      out_ += "\\{";
      ++at_;
      return;
    }
    out_ += no_minimum ? "{0" : "{";
    out_ += pattern_.substr(at_ + 1, end - at_);
    at_ = end + 1;
    if (peek() != '+') return;
    out_.insert(atom_, "(?:");
    out_ += ')';
  }

  // What "\p{..}" or "\pL" names.
  std::string_view property() {
    const bool braced = peek() == '{';
    const std::size_t begin = at_ + (braced ? 1 : 0);
    const std::size_t end = braced ? pattern_.find('}', begin) : begin + 1;
    if (end > pattern_.size()) refuse("an unfinished \\p is");
    at_ = end + (braced ? 1 : 0);
    return pattern_.substr(begin, end - begin);
  }

  std::string unicode_escape() {
    if (at_ + 4 > pattern_.size()) refuse("an unfinished \\u is");
    const std::string digits(pattern_.substr(at_, 4));
    at_ += 4;
    return "\\x{" + digits + "}";
  }

  // The members of the set an escape stands for ("" for other escapes, which are copied).
  std::string class_of(char c) {
    if (c == 's' || c == 'S') return std::string(kSpace);
    if (c == 'w' || c == 'W') return word_members();
    if (c == 'd' || c == 'D') return members("Nd");
    if (c == 'h' || c == 'H') return std::string(kHex);
    if (c != 'p' && c != 'P') return {};
    const std::string_view name = property();
    if (name.substr(0, 1) == "^") refuse("\\p{^..} is");
    return members(name);
  }

  void escape() {
    atom_ = out_.size();
    const char c = peek(1);
    if (!more(1)) refuse("a backslash at the end is");
    at_ += 2;
    if (c == 'u') {
      out_ += unicode_escape();
      return;
    }
    const std::string set = class_of(c);
    if (set.empty()) {
      out_ += '\\';
      out_ += c;
      return;
    }
    out_ += (c >= 'A' && c <= 'Z' ? "[^" : "[") + set + "]";
  }

  void escape_in_set() {
    const char c = peek(1);
    if (!more(1)) refuse("a backslash at the end is");
    at_ += 2;
    if (c == 'u') {
      out_ += unicode_escape();
    } else if (c == 'S') {
      out_ += kNotSpace;
    } else if (c == 'W' || c == 'H' || c == 'P' || c == 'D') {
      refuse("a negated class within a set is");
    } else {
      const std::string set = class_of(c);
      out_ += set.empty() ? std::string("\\") + c : set;
    }
  }

  void set() {
    atom_ = out_.size();
    copy();
    if (peek() == '^') copy();
    for (bool first = true; peek() != ']' || first; first = false) {
      if (!more()) refuse("an unfinished set is");
      if (peek() == '\\') {
        escape_in_set();
      } else if (peek() == '[' && peek(1) == ':') {
        refuse("a POSIX class is");
      } else if (peek() == '[') {
        refuse("a set within a set is");
      } else if (peek() == '&' && peek(1) == '&') {
        refuse("an intersection of sets is");
      } else {
        copy();
      }
    }
    copy();
  }

  std::string_view pattern_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::string out_;
  std::size_t atom_ = 0;  // where in out_ the last repeatable thing begins
  std::vector<std::size_t> groups_;
};

}  // namespace

std::string pcre2_pattern(std::string_view oniguruma, const std::string& where) {
  return Translator(oniguruma, where).run();
}

}  // namespace zp
