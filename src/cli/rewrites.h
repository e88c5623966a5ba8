// quantize --rewrite: what rewrites can do and did, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/rewrite.h"

namespace zp::cli {

/// done: whether they ran.
Json rewrites_json(const std::vector<RewriteResult>& results, bool done);
/// A line each, and one for each note.
std::string rewrites_text(const std::vector<RewriteResult>& results, bool done);

}  // namespace zp::cli
