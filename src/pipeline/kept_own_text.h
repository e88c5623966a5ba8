// The model's own text in a folder to resume from.
#pragma once

#include <filesystem>

#include "pipeline/own_text.h"

namespace zp {

/// write_own_text(), whose text stays in the folder; or the text that is there. Throws Error as
/// write_own_text() does, and for a folder with the text of another run.
OwnText kept_or_written(const std::filesystem::path& folder, const LoadedModel& loaded,
                        const OwnTextOptions& options, std::int64_t tokens, std::int64_t streams,
                        const Team& team, Progress& progress);

}  // namespace zp
