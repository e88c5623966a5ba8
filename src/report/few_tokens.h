// Experts that hardly any of the calibration text's tokens went through.
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "calibrate/layer_statistics.h"

namespace zp {

/// A line for each layer that has such experts; empty where there are none.
std::string to_text(std::span<const FewTokens> few);
Json to_json(std::span<const FewTokens> few);

}  // namespace zp
