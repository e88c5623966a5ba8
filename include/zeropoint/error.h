// What is wrong, where, what was expected and what was found.
//
// The library throws these for all that files, names and requests can cause. Fields of a request stand
// between backquotes in messages. Beside them std::bad_alloc may come.
#pragma once

#include <stdexcept>
#include <string>

#include "zeropoint/export.h"

namespace zeropoint {

/// Files that can't be read or don't allow what is asked for. what(): one line of printable UTF-8,
/// "where: what: expected E, found F".
class ZEROPOINT_API Error : public std::runtime_error {
 public:
  struct Parts {
    std::string where;     ///< file, tensor, field, byte offset
    std::string what;      ///< what is wrong, in a few words
    std::string expected;  ///< may be empty
    std::string found;     ///< may be empty
  };

  Error(const std::string& text, Parts parts);
  ~Error() override;

  const Parts& parts() const noexcept { return parts_; }

 private:
  Parts parts_;
};

/// A request that can't be: an unknown name, fields that don't go together.
class ZEROPOINT_API UsageError : public Error {
 public:
  using Error::Error;
  ~UsageError() override;
};

/// The job was asked to stop, see Cancellation. No std::exception: who catches errors doesn't catch
/// this.
struct ZEROPOINT_API Cancelled {};

}  // namespace zeropoint
