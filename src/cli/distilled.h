// quantize --distill: what became of an output, for people and as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "pipeline/distill_outputs.h"

namespace zp::cli {

Json to_json(const DistilledOutput& output);
std::string distilled_text(const DistilledOutput& output);

}  // namespace zp::cli
