// The whole graph of an OpenVINO model as its XML file: the decoder's nodes, and its constants with
// their places in the second file.
//
// Written (openvino.cc) and compared: what such a file holds is read back only if it is the graph made
// here from config.json and the constants' own types, for nothing else in it is run.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "container/container.h"
#include "container/graph_builder.h"
#include "format/openvino.h"

namespace zp {

/// Where a constant of the graph's own lies.
using PlaceOfConstant = std::function<std::int64_t(const GraphConstant&)>;
/// Where plane `plane` of the weight of assignments[weight] lies.
using PlaceOfPlane = std::function<std::int64_t(std::size_t weight, std::size_t plane)>;

std::vector<GraphNode> openvino_constants(const std::deque<GraphConstant>& constants,
                                          const PlaceOfConstant& place);

/// info: what the file says beside the graph and who wrote it.
std::string openvino_graph(const Model& model, std::span<const Assignment> assignments,
                           const PlaceOfPlane& place_of_plane,
                           const PlaceOfConstant& place_of_constant, openvino::Info info = {});

/// `found` as read, its constants with their data; `model` as its config.json and constants have it.
/// Throws Error at `where` with the first difference unless the graph computes what would be written
/// for this model.
void check_openvino_graph(const openvino::Graph& found, const Model& model,
                          const std::string& where);

}  // namespace zp
