// Whether the graph that a checkpoint comes with computes what its config.json says.
#pragma once

#include "model/architecture.h"
#include "source/checkpoint.h"

namespace zp {

/// Throws Error with the first difference. Most kinds of checkpoint have no graph.
void check_graph(const Checkpoint& checkpoint, const Model& model);

}  // namespace zp
