// Which tensors lose most for their bytes: what to keep at more bits.
#pragma once

#include <string>

#include "report/quantize_report.h"

namespace zp {

/// HTML: a table and the options that keep the tensors in it at more bits; empty where
/// none lost anything, or the container has no finer grid for it.
std::string more_bits_html(const ReportedOutput& output, const std::string& id);

}  // namespace zp
