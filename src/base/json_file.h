// A file of JSON. (Paths take longer to compile than all of Json: hence a header of its own.)
#pragma once

#include <filesystem>

#include "base/json.h"

namespace zp {

/// As parse_json; messages name the path.
Json read_json(const std::filesystem::path& path);

}  // namespace zp
