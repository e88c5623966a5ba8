// quantize --fit and --max-kld: the words around pipeline/budget.h.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/arguments.h"
#include "pipeline/budget.h"

namespace zp::cli {

void add_budget_options(const Command& sub, Budget& budget);

/// Which tensors got which grid, and what they lose by it.
std::string to_text(const Allotment& allotment);
/// What became of it: the divergence of the file.
std::string written_text(const Allotment& allotment);
Json to_json(const Allotment& allotment);

}  // namespace zp::cli
