// A model's weights as constants of an OpenVINO graph.
//
// What OpenVINO multiplies by without decoding it first is codes of 2, 4 or 8 bits along the row, in
// groups or one for each row, and what follows them in the graph:
//
//   X.weight        i4, i8 or u2, u4, u8 [rows, cols / group, group]   codes
//   X.zero_points   u2, u4 or u8         [rows, cols / group, 1]       with unsigned codes, or none
//   X.scales        floats               [rows, cols / group, 1]
//   value           (code - zero) scale, in FP32, reshaped to [rows, cols]
//
// Where a row is one group the middle dimension and the reshaping are left out. A tensor's elements
// run on through its rows, the first of two in a byte's low half.
//
// Symmetric codes are signed there and others unsigned: half of the range is added to the grid's
// where they are not. nf4, and the floats of mxfp4, mxfp8 and nvfp4 and their scales, are types of
// elements that the runtime knows. So are u3 and u6, which its CPU plugin makes FP32 of while it
// loads (2026.4): not written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "container/container.h"

namespace zp {

/// What is held, in a sentence.
extern const std::string_view kOpenVinoHolds;

/// Whether the graph has codes of such a grid, for rows that they fit.
bool openvino_has_codes(const Grid& grid);

/// As Container::accepts.
Verdict openvino_accepts(const Grid& grid, const TensorUse& use);

/// A constant of the graph, one plane of a weight's grid.
struct OpenVinoPlane {
  std::string name;
  std::string type;  ///< of elements, in the graph's words
  std::vector<std::int64_t> shape;
  PlaneForm form = {};
};
/// In the order of the grid's planes: codes or floats, scales, zero-points.
std::vector<OpenVinoPlane> openvino_planes(const Assignment& weight);

}  // namespace zp
