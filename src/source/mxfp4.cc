// X_proj_blocks   u8 [..., rows, groups, 16]   FP4 (E2M1) codes, the first of two in the low half
// X_proj_scales   u8 [..., rows, groups]       E8M0: 32 codes are multiplied by 2^(e - 127)
//
// Byte for byte the planes of the grid mxfp4.
#include "source/mxfp4.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "source/grid_rows.h"
#include "source/weight_layout.h"

namespace zp {
namespace {

constexpr std::string_view kGrid = "mxfp4";
constexpr std::string_view kBlocks = "_proj_blocks";
constexpr std::string_view kScales = "_proj_scales";
constexpr std::int64_t kBytes = 16;  // of a group
constexpr const char* kKey = "quantization_config";

/// The name of the part that belongs to this one; empty: it is none.
std::string other_part(const std::string& name) {
  for (const auto& [end, other] : {std::pair(kBlocks, kScales), std::pair(kScales, kBlocks)}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size()) + std::string(other);
  }
  return {};
}

Tensor joined(const Tensor& blocks, const Tensor& scales, const std::string& place) {
  const auto u8 = info(DType::u8).name;
  std::vector<std::int64_t> expected = scales.shape;
  expected.push_back(kBytes);
  if (blocks.type != u8 || scales.type != u8 || blocks.shape != expected || scales.shape.empty()) {
    throw Error(place, "no MXFP4 with its scales",
                std::string(u8) + " of " + shape_text(expected) + " beside " + std::string(u8) +
                    " of " + shape_text(scales.shape),
                described(blocks) + " beside " + described(scales));
  }
  Tensor tensor;
  tensor.name = blocks.name;
  tensor.type = kGrid;
  tensor.shape = scales.shape;
  tensor.shape.back() = checked_mul(tensor.shape.back(), 2 * kBytes, place);
  tensor.bytes = checked_add(blocks.bytes, scales.bytes, place);
  const auto [rows, cols] = matrix_shape(tensor.shape, place);
  tensor.rows = grid_rows({blocks.stored, scales.stored}, make_grid(kGrid), rows, cols);
  if (tensor.rows == nullptr) throw Error(place, "bytes don't fit the matrix");
  return tensor;
}

}  // namespace

void join_mxfp4(Checkpoint& checkpoint) {
  const auto is_part = [](const Tensor& t) { return !other_part(t.name).empty(); };
  if (checkpoint.world != World::hf || std::ranges::none_of(checkpoint.tensors, is_part)) return;
  std::vector<Tensor> tensors;
  for (Tensor& tensor : checkpoint.tensors) {
    const std::string other = other_part(tensor.name);
    if (other.empty()) {
      tensors.push_back(std::move(tensor));
      continue;
    }
    const std::string place = checkpoint.path.string() + ": tensor \"" + tensor.name + "\"";
    const Tensor* part = checkpoint.find(other);
    if (part == nullptr)
      throw Error(place, "half of a matrix in MXFP4", "\"" + other + "\" beside it");
    if (tensor.name.ends_with(kBlocks)) tensors.push_back(joined(tensor, *part, place));
  }
  checkpoint.replace(std::move(tensors));
  Json& config = checkpoint.config();
  if (config.is_object() && config.value(kKey, Json()).is_object() &&
      config[kKey].value("quant_method", Json()) == Json(kGrid))
    config.erase(kKey);
}

}  // namespace zp
