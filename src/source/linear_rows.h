// Rows of linear quantization, r = s (q - z), whose planes lie as GPTQ, AWQ or compressed-tensors
// pack them (format/plane_form.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/view.h"
#include "format/plane_form.h"
#include "tensor/rows.h"

namespace zp {

struct LinearPlanes {
  std::int64_t bits = 4;   ///< of codes and zero-points
  bool is_signed = false;  ///< both are two's complement
  PackedPlane codes;       ///< rows x columns
  PackedPlane scales;      ///< rows x groups
  DType scale_type = DType::f16;
  std::optional<PackedPlane> zeros;  ///< rows x groups
  std::int32_t zero = 0;             ///< where there are none
  std::vector<std::int32_t> groups;  ///< of each column its group
  std::int64_t group_count = 1;
};

/// Columns of which each `group` have one of their own; the last may have fewer.
std::vector<std::int32_t> even_groups(std::int64_t cols, std::int64_t group);

/// Borrows the planes; s (q - z) is FP32. nullptr when a plane doesn't have the bytes of so many
/// rows. Every group is below group_count.
std::unique_ptr<RowReader> linear_rows(LinearPlanes planes, std::int64_t rows);

}  // namespace zp
