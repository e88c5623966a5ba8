// The whole library: trained models made small. Each header is one question.
#pragma once

#include <string_view>

#include "zeropoint/calibrate.h"
#include "zeropoint/error.h"
#include "zeropoint/evaluate.h"
#include "zeropoint/explain.h"
#include "zeropoint/export.h"
#include "zeropoint/grid.h"
#include "zeropoint/inspect.h"
#include "zeropoint/plan.h"
#include "zeropoint/quantize.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// "0.1.0".
ZEROPOINT_API std::string_view version();

}  // namespace zeropoint
