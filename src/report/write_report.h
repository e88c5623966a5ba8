// The page of a run of quantize, from what the run came to into its file.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/quantize.h"

namespace zp {

/// Before anything else is done: throws Error for a path that exists (without `force`) or where no
/// file can be made.
void check_report_can_be_written(const std::filesystem::path& path, bool force);
/// Into request.report. The page appears when it is complete, or not at all. command: as typed; empty:
/// there is none.
void write_report(const QuantizeRequest& request, const QuantizeOutcome& outcome,
                  const std::string& command);

}  // namespace zp
