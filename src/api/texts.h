// What is known of a calibration text, as the library's headers have it.
#pragma once

#include <optional>

#include "pipeline/calibration_text.h"
#include "zeropoint/calibrate.h"

namespace zeropoint {

/// Nothing: the model wrote nothing, or has yet to.
std::optional<OwnText> own_text_of(const std::optional<zp::OwnTextOutcome>& own);
TextReading reading_of(const zp::TextReading& reading);

}  // namespace zeropoint
