#include "jinja/lexer.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/utf8.h"
#include "jinja/text.h"

namespace zp::jinja {
namespace {

using Type = Token::Type;

// "\n" for every kind of newline, and without the last one.
std::string with_plain_newlines(std::string_view source) {
  std::string out;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string source, const std::string& where) : source_(std::move(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_data();
    add(Type::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) {
    count_lines();
    throw Error(where_ + ": line " + std::to_string(line_), what);
  }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool starts(std::string_view text, std::size_t at) const {
    return source_.compare(at, text.size(), text) == 0;
  }
  void count_lines() {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    counted_ = at_;
  }
  void add(Type type, std::string text) {
    count_lines();
    tokens_.push_back({type, std::move(text), line_});
  }
  std::size_t after_space(std::size_t i) const {
    while (i < source_.size()) {
      std::size_t next = i;
      if (!is_space(next_code_point(source_, next))) break;
      i = next;
    }
    return i;
  }

  void read_data();
  void add_data(std::size_t end, char sign, bool block);
  void read_comment();
  bool read_raw();
  void read_tag(bool block);
  bool read_tag_end(bool block);
  void read_token();
  void read_number();
  void read_text();
  void read_operator();
  std::string unescape(std::string_view text);
  char32_t read_hex(std::string_view text, std::size_t& i, std::size_t digits);

  std::string source_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;  // bytes whose lines are in line_
  int line_ = 1;
  std::string open_;  // brackets that wait for their end
  std::vector<Token> tokens_;
};

// Text up to the next tag, and that tag.
void Lexer::read_data() {
  std::size_t end = at_;
  while ((end = source_.find('{', end)) != source_.npos) {
    const char c = end + 1 < source_.size() ? source_[end + 1] : '\0';
    if (c == '{' || c == '%' || c == '#') break;
    ++end;
  }
  if (end == source_.npos) {
    add_data(source_.size(), '+', false);
    at_ = source_.size();
    return;
  }
  const char kind = source_[end + 1];
  const char after = end + 2 < source_.size() ? source_[end + 2] : '\0';
  const char sign = after == '-' || after == '+' ? after : '\0';
  add_data(end, sign, kind != '{');
  at_ = end;
  if (kind == '%' && read_raw()) return;
  at_ = end + (sign ? 3 : 2);
  if (kind == '#') return read_comment();
  read_tag(kind == '%');
}

void Lexer::add_data(std::size_t end, char sign, bool block) {
  std::string_view text = std::string_view(source_).substr(at_, end - at_);
  const bool line_begins = at_ == 0 || source_[at_ - 1] == '\n';
  if (sign == '-') {
    text = strip(text, Side::kRight);
  } else if (sign != '+' && block) {
    const std::size_t newline = text.rfind('\n');
    const std::size_t line = newline == text.npos ? 0 : newline + 1;
    const bool blank = strip(text.substr(line), Side::kLeft).empty();
    if ((line > 0 || line_begins) && blank) text = text.substr(0, line);
  }
  if (!text.empty()) add(Type::kData, std::string(text));
}

void Lexer::read_comment() {
  const std::size_t end = source_.find("#}", at_);
  if (end == source_.npos) fail("missing end of comment tag");
  const char sign = end > at_ ? source_[end - 1] : '\0';
  at_ = end + 2;
  if (sign == '-') {
    at_ = after_space(at_);
  } else if (sign != '+' && peek() == '\n') {
    ++at_;
  }
}

// {% raw %}...{% endraw %}; false when the block at at_ is another.
bool Lexer::read_raw() {
  const auto tag = [this](std::size_t i, std::string_view name) {
    i = i + 2 < source_.size() && (source_[i + 2] == '-' || source_[i + 2] == '+') ? i + 3 : i + 2;
    i = after_space(i);
    return starts(name, i) ? after_space(i + name.size()) : source_.npos;
  };
  std::size_t i = tag(at_, "raw");
  if (i == source_.npos) return false;
  if (starts("-%}", i)) {
    i = after_space(i + 3);
  } else if (starts("%}", i)) {
    i += 2;
  } else {
    return false;
  }
  at_ = i;
  for (std::size_t begin = at_; (begin = source_.find("{%", begin)) != source_.npos; ++begin) {
    i = tag(begin, "endraw");
    if (i == source_.npos) continue;
    std::size_t after = source_.npos;
    if (starts("+%}", i)) after = i + 3;
    if (starts("-%}", i)) after = after_space(i + 3);
    if (starts("%}", i)) after = i + 2 + (i + 2 < source_.size() && source_[i + 2] == '\n');
    if (after == source_.npos) continue;
    add_data(begin, source_[begin + 2], true);
    at_ = after;
    return true;
  }
  fail("missing end of raw directive");
}

void Lexer::read_tag(bool block) {
  add(block ? Type::kBlockBegin : Type::kVariableBegin, "");
  while (true) {
    if (open_.empty() && read_tag_end(block)) return;
    if (at_ >= source_.size()) {
      // What is missing is for the parser to say.
      return;
    }
    const std::size_t begin = at_;
    at_ = after_space(at_);
    if (at_ == begin) read_token();
  }
}

bool Lexer::read_tag_end(bool block) {
  const std::string_view end = block ? "%}" : "}}";
  const Type type = block ? Type::kBlockEnd : Type::kVariableEnd;
  if (peek() == '-' && starts(end, at_ + 1)) {
    add(type, "");
    at_ = after_space(at_ + 3);
  } else if (block && peek() == '+' && starts(end, at_ + 1)) {
    add(type, "");
    at_ += 3;
  } else if (starts(end, at_)) {
    add(type, "");
    at_ += 2;
    if (block && peek() == '\n') ++at_;
  } else {
    return false;
  }
  return true;
}

void Lexer::read_token() {
  const char c = peek();
  if (is_digit(c)) return read_number();
  if (c == '\'' || c == '"') return read_text();
  std::size_t end = at_;
  for (std::size_t i = at_; i < source_.size(); end = i) {
    if (!is_word(next_code_point(source_, i))) break;
  }
  if (end == at_) return read_operator();
  std::string name = source_.substr(at_, end - at_);
  if (!is_identifier(name)) fail("invalid character in a name");
  add(Type::kName, std::move(name));
  at_ = end;
}

void Lexer::read_number() {
  // Digits, with single underscores between them.
  const auto digits = [this](std::size_t i, auto is) {
    const auto good = [&](std::size_t k) { return k < source_.size() && is(source_[k]); };
    while (good(i) || (i < source_.size() && source_[i] == '_' && good(i + 1))) ++i;
    return i;
  };
  const auto plain = [this](std::size_t end) {
    std::string text = source_.substr(at_, end - at_);
    std::erase(text, '_');
    return text;
  };
  const char letter = static_cast<char>(peek(1) | 32);
  const std::size_t whole = digits(at_, is_digit);
  std::size_t end = whole;
  if (at_ == 0 || source_[at_ - 1] != '.') {
    const auto digit_at = [this](std::size_t i) {
      return i < source_.size() && is_digit(source_[i]);
    };
    if (whole < source_.size() && source_[whole] == '.' && digit_at(whole + 1)) {
      end = digits(whole + 1, is_digit);
    }
    if (end < source_.size() && (source_[end] | 32) == 'e') {
      const bool sign =
          end + 1 < source_.size() && (source_[end + 1] == '-' || source_[end + 1] == '+');
      if (digit_at(end + 1 + sign)) end = digits(end + 1 + sign, is_digit);
    }
  }
  if (end > whole) {
    add(Type::kFloat, plain(end));
  } else if (peek() != '0') {
    add(Type::kInteger, plain(end));
  } else {
    const auto is = [letter](char c) {
      if (letter == 'x') return std::isxdigit(static_cast<unsigned char>(c)) != 0;
      return letter == 'b' ? c == '0' || c == '1' : letter == 'o' ? c >= '0' && c <= '7' : false;
    };
    end = digits(at_ + 2, is);
    if (at_ + 2 >= source_.size() || end <= at_ + 2) {
      end = digits(at_, [](char c) { return c == '0'; });
    }
    add(Type::kInteger, plain(end));
  }
  at_ = end;
}

void Lexer::read_text() {
  const char quote = peek();
  std::size_t end = at_ + 1;
  while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
  if (end >= source_.size()) fail("text without its closing quote");
  add(Type::kText, unescape(std::string_view(source_).substr(at_ + 1, end - at_ - 1)));
  at_ = end + 1;
}

char32_t Lexer::read_hex(std::string_view text, std::size_t& i, std::size_t digits) {
  char32_t value = 0;
  for (std::size_t k = 0; k < digits; ++k, ++i) {
    if (i >= text.size() || !std::isxdigit(static_cast<unsigned char>(text[i]))) {
      fail("escape sequence cut short");
    }
    const char c = text[i];
    value = value * 16 + static_cast<char32_t>(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    fail("escape sequence that is no character");
  }
  return value;
}

// Python's escapes. A backslash before a character outside ASCII meets, in Python, that
// character's own escape, and only its backslash is taken.
std::string Lexer::unescape(std::string_view text) {
  static constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeant = "\a\b\f\n\r\t\v\\'\"";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const char c = text[++i];
    const std::size_t known = kLetters.find(c);
    if (known != kLetters.npos) {
      out += kMeant[known];
      ++i;
    } else if (c == '\n') {
      ++i;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++i;
      append_utf8(out, read_hex(text, i, c == 'x' ? 2 : c == 'u' ? 4 : 8));
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      for (int k = 0; k < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++k, ++i) {
        value = value * 8 + static_cast<char32_t>(text[i] - '0');
      }
      append_utf8(out, value);
    } else if (c == 'N') {
      fail("characters by name are not supported");
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const char32_t point = next_code_point(text, i);
      const int digits = point < 0x100 ? 2 : point < 0x10000 ? 4 : 8;
      out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
      for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        out += "0123456789abcdef"[point >> shift & 15];
      }
    } else {
      out += '\\';
    }
  }
  return out;
}

void Lexer::read_operator() {
  static constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", ">=", "<="};
  static constexpr std::string_view kOne = "+-/*%~[](){}><=.:|,;";
  for (const std::string_view two : kTwo) {
    if (!starts(two, at_)) continue;
    add(Type::kOperator, std::string(two));
    at_ += 2;
    return;
  }
  const char c = peek();
  if (kOne.find(c) == kOne.npos) fail("unexpected character " + printable(source_.substr(at_, 1)));
  if (c == '(' || c == '[' || c == '{') open_ += c == '(' ? ')' : c == '[' ? ']' : '}';
  if (c == ')' || c == ']' || c == '}') {
    if (open_.empty() || open_.back() != c) fail(std::string("unexpected '") + c + "'");
    open_.pop_back();
  }
  add(Type::kOperator, std::string(1, c));
  ++at_;
}

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& where) {
  return Lexer(with_plain_newlines(source), where).run();
}

}  // namespace zp::jinja
