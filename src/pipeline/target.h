// What the user asks for: targets (CONTAINER[:GRID][=PATH]) and exceptions (PATTERN=GRID).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"

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

/// The name people use for a tensor in patterns: "embedding", "layers.3.down",
/// "layers.3.query.bias".
std::string use_name(const TensorUse& use);

/// pattern: alternatives separated by commas; each is a role's name (matching its weight), or a
/// glob over use_name or the Hugging Face name, where * matches anything and a part A-B between
/// dots a range of numbers: "layers.0-1.*". Empty: matches everything.
bool matches(std::string_view pattern, const TensorUse& use);

}  // namespace zp
