// The error of every tensor as a picture: one row for each layer, one column for each role.
#pragma once

#include <string>
#include <vector>

#include "report/quantize_report.h"

namespace zp {

/// Root mean square of the error, as a share of the weights' own; 0 where nothing was lost.
double relative_error(const Energy& energy);
/// "6.0", "0.55" (per cent), "=" for 0.
std::string error_text(double share);

/// HTML: the legend, the layers' table, and one of what stands outside of the layers. A cell is a
/// role's weight and bias together; its title says all of it.
std::string heat_map(const std::vector<ReportedTensor>& tensors);

}  // namespace zp
