// What inspect found, as lines and as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "pipeline/inspect.h"

namespace zp {

/// {container, architecture, parameters, bits_per_weight, bytes, metadata {}, tensors [{name, role,
/// shape, grid, bytes}], notes [], problems []}
Json to_json(const Inspection& inspection);
/// Lines, each ended.
std::string to_text(const Inspection& inspection);

/// {container: "statistics", model, tokens, context, bytes, inputs: [{layer, role, columns, rows,
/// range, outlier_columns, observers: [{observer, grid, range, scale, zero_point,
/// mean_squared_error, sqnr_db}]}]}
Json to_json(const StatisticsInspection& inspection);
/// Lines, each ended.
std::string to_text(const StatisticsInspection& inspection);

}  // namespace zp
