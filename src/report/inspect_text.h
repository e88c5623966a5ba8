// What inspect found, as lines and as JSON.
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "pipeline/inspect.h"

namespace zp {

/// {container, architecture, parameters, bits_per_weight, bytes, metadata {}, tensors [{name, role,
/// shape, grid, bytes}], beside [], notes [], problems []}
Json to_json(const Inspection& inspection);
/// [{what, tensors, parameters, bytes}]
Json to_json(std::span<const BesideCount> beside);
/// Lines, each ended.
std::string to_text(const Inspection& inspection);

/// {container: "statistics", model, tokens, context, bytes, inputs: [{layer, role, columns, rows,
/// range, outlier_columns, observers: [{observer, grid, range, scale, zero_point,
/// mean_squared_error, sqnr_db}]}]}; of an expert's input {layer, role, columns, rows, expert,
/// tokens}
Json to_json(const StatisticsInspection& inspection);
/// Lines, each ended.
std::string to_text(const StatisticsInspection& inspection);

}  // namespace zp
