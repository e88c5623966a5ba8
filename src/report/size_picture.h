// Several outputs side by side: a table, and size against divergence.
#pragma once

#include <string>

#include "report/quantize_report.h"

namespace zp {

/// HTML; empty for one output. Links lead to "output-N", from 1 on.
std::string comparison_html(const QuantizeReport& report);

}  // namespace zp
