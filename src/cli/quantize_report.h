// quantize --report: what a run did, put together for the page.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/quantize.h"

namespace zp::cli {

/// Before anything else is done: throws Error for a path that exists (without `force`) or where no
/// file can be made.
void check_report_can_be_written(const std::filesystem::path& path, bool force);
/// The page appears when it is complete, or not at all.
/// command: as typed.
void write_report(const QuantizeRequest& request, const QuantizeOutcome& outcome,
                  const std::string& command);

}  // namespace zp::cli
