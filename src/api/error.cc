#include "zeropoint/error.h"

#include <utility>

namespace zeropoint {

Error::Error(const std::string& text, Parts parts)
    : std::runtime_error(text), parts_(std::move(parts)) {}
// Here, so that all who catch one have the same type.
Error::~Error() = default;
UsageError::~UsageError() = default;

}  // namespace zeropoint
