#include "source/linear_module.h"

#include <array>

#include "base/error.h"
#include "source/grid_rows.h"
#include "tensor/dtype_name.h"

namespace zp {
namespace {

// As a grid's; a group that is a row is the channel's.
std::string spec_of(const LinearPlanes& planes, std::int64_t group, std::string_view scale) {
  const bool is_signed = planes.is_signed || !planes.zeros;
  return std::string(is_signed ? "int" : "uint") + std::to_string(planes.bits) +
         (planes.group_count == 1 ? ":channel" : ":g" + std::to_string(group)) +
         (planes.zeros ? ":zero:" : ":sym:") + std::string(scale);
}

}  // namespace

void check_bits(std::int64_t bits, const std::string& place) {
  if (bits >= kLeastBits && bits <= kMostBits) return;
  throw Error(place, "not supported",
              std::to_string(kLeastBits) + " to " + std::to_string(kMostBits) + " bits",
              std::to_string(bits));
}

std::vector<std::int32_t> stated_groups(std::vector<std::int32_t> groups, std::int64_t count,
                                        const std::string& place) {
  for (const std::int32_t g : groups) {
    if (g < 0 || g >= count) {
      throw Error(place, "a column of no group", "0 to " + std::to_string(count - 1),
                  std::to_string(g));
    }
  }
  return groups;
}

Tensor linear_weight(const Module& module, const LinearParts& parts, LinearPlanes planes,
                     std::int64_t rows, std::int64_t group) {
  const std::string place = module.place();
  const std::string_view scale = scale_word(parts.scales.type);
  if (scale.empty())
    throw Error(place, "scales of an unknown type", "fp16, bf16 or fp32", parts.scales.type);
  planes.scale_type = dtype_of_name(parts.scales.type)->dtype;
  planes.codes = {parts.codes.stored, parts.codes_form};
  planes.scales = {
      parts.scales.stored,
      {.word = 8 * info(planes.scale_type).bytes, .transposed = parts.codes_form.transposed}};
  if (parts.zeros != nullptr) planes.zeros = {parts.zeros->stored, parts.zeros_form};
  const auto cols = std::ssize(planes.groups);
  Tensor tensor = module.weight(spec_of(planes, group, scale), rows, cols);
  tensor.bytes = parts.codes.bytes + parts.scales.bytes;
  if (parts.zeros != nullptr) tensor.bytes += parts.zeros->bytes;
  tensor.rows = linear_rows(std::move(planes), rows);
  if (tensor.rows == nullptr) throw Error(place, "bytes don't fit the matrix");
  return tensor;
}

LinearPlanes even_planes(const Module& module, const Tensor& scales, std::int64_t rows,
                         std::int64_t cols) {
  if (scales.shape.size() != 2 || scales.shape[0] != rows || scales.shape[1] < 1 ||
      cols % scales.shape[1] != 0) {
    throw Error(module.place() + ": \"" + scales.name + "\"", "doesn't fit its module",
                std::to_string(rows) + " rows of a scale for each group", described(scales));
  }
  LinearPlanes planes;
  planes.group_count = scales.shape[1];
  planes.groups = even_groups(cols, cols / planes.group_count);
  return planes;
}

Tensor byte_weight(const Module& module, const Tensor& codes, const Tensor& scales,
                   const Tensor* zeros) {
  constexpr std::string_view kInt8 = "int8";
  const std::string place = module.place();
  if (codes.type != kInt8 || codes.shape.size() != 2 || codes.shape[0] < 1 || codes.shape[1] < 1)
    throw Error(place, "no matrix of codes", "int8 of rows and columns", described(codes));
  const std::int64_t rows = codes.shape[0];
  LinearPlanes planes = even_planes(module, scales, rows, codes.shape[1]);
  planes.bits = 8;
  planes.is_signed = true;
  if (zeros != nullptr) check_part(*zeros, kInt8, std::array{rows, planes.group_count}, place);
  const std::int64_t group = codes.shape[1] / planes.group_count;
  return linear_weight(module, {codes, zeros, scales, {}, {}}, std::move(planes), rows, group);
}

}  // namespace zp
