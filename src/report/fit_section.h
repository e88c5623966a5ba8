// What a budget chose: its limit, the text, and every measured loss.
#pragma once

#include <string>

#include "report/quantize_report.h"

namespace zp {

std::string fit_html(const ReportedFit& fit, const std::string& id);

}  // namespace zp
