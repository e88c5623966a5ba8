// A file of JSON. (Paths take longer to compile than all of Json: hence a header of its own.)
#pragma once

#include <filesystem>

#include "base/json.h"

namespace zp {

/// As parse_json; messages name the path.
Json read_json(const std::filesystem::path& path);
/// The same of a file that Python may have written: its Infinity, which no JSON has, is read as
/// transformers writes it since it writes JSON, {"__float__": "Infinity"}.
Json read_python_json(const std::filesystem::path& path);

}  // namespace zp
