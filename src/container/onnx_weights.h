// A model's weights as tensors of an ONNX graph.
//
// What ONNX Runtime multiplies by without decoding it first (MatMulNBits, and GatherBlockQuantized
// for rows that are looked up) is affine: values (q - z) s, codes of 2, 4 or 8 bits counted from
// the lowest, in groups of 16, 32, 64, 128 or 256 along the row. Of a matrix X.weight:
//
//   X.weight       uint8 [rows, cols / group, group bits / 8]   codes, first in the low bits
//   X.scales       float [rows, cols / group]
//   X.zero_points  uint8 [rows, ceil(cols / group bits / 8)]    packed alike; none: half the range
//
// Or it is one of bitsandbytes' codebooks (MatMulBnb4), for what is multiplied by alone:
//
//   X.weight   uint8 [rows cols / 2]        codes, first in the high bits
//   X.scales   float [rows cols / group]
//
// Experts of a layer are one tensor for each plane (QMoE), of codes of 4 or 8 bits:
//
//   X.gate_up_proj.weight   uint8 [experts, 2 rows, cols bits / 8]   of each the first row of gate,
//                                                                    the first of up, the second ...
//   X.down_proj.weight      uint8 [experts, rows, cols bits / 8]
//
// and so their scales, zero-points and what is floating.
//
// A looked-up matrix has its codes as [rows, cols bits / 8]: the same bytes. Everything else is one
// floating tensor. Signed grids' codes are two's complement: half of the range is added to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/container.h"
#include "format/onnx.h"

namespace zp {

/// Of which a name ends with when it holds codes, and what its scales and zero-points end with.
inline constexpr std::string_view kOnnxCodes = ".weight";
inline constexpr std::string_view kOnnxScales = ".scales";
inline constexpr std::string_view kOnnxZeros = ".zero_points";

/// What is held, in a sentence; and of experts.
extern const std::string_view kOnnxHolds;
extern const std::string_view kOnnxHoldsOfExperts;
/// The form of an affine grid that is held as it is, else nullptr.
const AffineForm* onnx_form(const Grid& grid);

/// A codebook as MatMulBnb4 numbers them.
struct OnnxCodebook {
  std::int64_t quant_type;
  std::int64_t group;
};
/// nullopt where it knows no such codebook.
std::optional<OnnxCodebook> onnx_codebook(const Grid& grid);

/// Whether the grid has codes that are held for weights like this one where its sizes allow.
bool onnx_holds_codes(const Grid& grid, const TensorUse& use);

/// Rows are looked up in it, whatever else is done.
bool is_looked_up(const TensorUse& use);

/// As Container::accepts.
Verdict onnx_accepts(const Grid& grid, const TensorUse& use);

/// A tensor of the graph, one plane of a weight's grid, or of all experts of a layer.
struct OnnxPlane {
  std::string name;
  onnx::Type type;
  std::vector<std::int64_t> shape;
  PlaneForm form = {};
  std::int64_t begin = 0;  ///< of the weight's plane in the tensor, in bytes

  std::int64_t bytes() const;  ///< of the tensor
};
/// In the order of the grid's planes.
std::vector<OnnxPlane> onnx_planes(const Assignment& weight);
/// The codes of a looked-up matrix again, as what is multiplied by.
OnnxPlane onnx_head_codes(const Assignment& embedding);

/// X of X.weight.
std::string onnx_path(const TensorUse& use);

}  // namespace zp
