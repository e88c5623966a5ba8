// A template cut into tokens, by jinja2's rules with trim_blocks and lstrip_blocks: a newline
// behind a block or comment goes, and so does the white space between the line's begin and one; "-"
// takes all white space on its side, "+" leaves it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zp::jinja {

struct Token {
  enum class Type {
    kData,
    kBlockBegin,
    kBlockEnd,
    kVariableBegin,
    kVariableEnd,
    kName,
    kText,
    kInteger,
    kFloat,
    kOperator,
    kEnd
  };
  Type type;
  std::string text;  ///< of kText without quotes and escapes, of numbers without underscores
  int line;
};

/// `source` is UTF-8. Ends with a kEnd. Throws Error at `where`, with the line.
std::vector<Token> tokenize(std::string_view source, const std::string& where);

}  // namespace zp::jinja
