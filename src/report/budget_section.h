// What a budget chose: its limit, the text, and every measured loss.
#pragma once

#include <string>

#include "report/quantize_report.h"

namespace zp {

std::string budget_html(const ReportedBudget& of, const std::string& id);

}  // namespace zp
