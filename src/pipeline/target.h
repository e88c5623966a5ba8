// What the user asks for: targets (CONTAINER[:GRID][=PATH]) and exceptions (PATTERN=GRID).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

struct Exception {
  std::string pattern;
  std::string grid;
};

struct Target {
  std::string container;
  std::string grid;            ///< empty: the container's default
  std::filesystem::path path;  ///< empty: made from the model's name and the label or grid
  std::string label = {};
  std::vector<Exception> measured = {};  ///< grids found for single tensors, behind exceptions
};

/// Throws UsageError.
Target parse_target(std::string_view text);

/// Throws UsageError.
Exception parse_exception(std::string_view text);

}  // namespace zp
