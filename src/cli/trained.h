// quantize --refine and --distill: what became of an output, for people and as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "pipeline/distill_outputs.h"
#include "pipeline/refine_outputs.h"

namespace zp::cli {

Json to_json(const RefinedOutput& output);
std::string refined_text(const RefinedOutput& output);
Json to_json(const DistilledOutput& output);
std::string distilled_text(const DistilledOutput& output);

}  // namespace zp::cli
