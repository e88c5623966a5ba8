// The one exception type: what is wrong, where, what was expected and what was found.
//
// Everything the world can cause (files, names, options) ends here. The text is always one line of
// printable UTF-8: parts that come from files are cleaned and cut.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace zp {

class Error : public std::runtime_error {
 public:
  struct Parts {
    std::string where;     ///< file, tensor, option, byte offset
    std::string what;      ///< what is wrong, in a few words
    std::string expected;  ///< may be empty
    std::string found;     ///< may be empty
  };

  /// Text: "where: what: expected E, found F", leaving out what is empty.
  explicit Error(Parts parts);
  Error(std::string where, std::string what, std::string expected = {}, std::string found = {});

  const Parts& parts() const noexcept { return parts_; }

 private:
  Parts parts_;
};

/// The command was used wrongly (exit code 2); every other Error is bad input (exit code 1).
class UsageError : public Error {
 public:
  using Error::Error;
};

/// `text` as it may stand in a message: control characters and broken UTF-8 replaced by '?',
/// cut to `limit` bytes with "..." at the end.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace zp
