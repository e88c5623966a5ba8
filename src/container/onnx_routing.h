// Routers of experts as nodes of a graph: the twin of engine/route.h.
#pragma once

#include <string>

#include "container/graph_builder.h"
#include "model/decoder.h"

namespace zp {

/// Adds nodes that make of scores [..., experts] the experts' weights, 0 for those not chosen, and
/// returns their name. correction: of FP32 [experts], or empty; only sigmoids have one.
std::string routing_nodes(GraphBuilder& graph, const std::string& scores,
                          const std::string& correction, const Experts& experts);

}  // namespace zp
