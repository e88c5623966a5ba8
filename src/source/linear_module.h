// A module whose weight is quantized linearly: what the layouts that pack it have in common.
#pragma once

#include <cstring>
#include <vector>

#include "source/linear_rows.h"
#include "source/weight_layout.h"

namespace zp {

/// Codes and zero-points as they lie, and the scales, [rows, groups] or the other way round.
struct LinearParts {
  const Tensor& codes;
  const Tensor* zeros;  ///< or nullptr
  const Tensor& scales;
  PlaneForm codes_form;
  PlaneForm zeros_form;
};

inline constexpr std::int64_t kLeastBits = 2;
inline constexpr std::int64_t kMostBits = 8;
/// Throws Error at `place` for codes of other bits.
void check_bits(std::int64_t bits, const std::string& place);

/// The integers that a tensor holds, of this type.
template <class Int>
std::vector<Int> values_of(const Tensor& tensor) {
  std::vector<Int> values(tensor.stored.size() / sizeof(Int));
  std::memcpy(values.data(), tensor.stored.data(), values.size() * sizeof(Int));
  return values;
}

/// `groups`, of each column its group. Throws Error at `place` for one that isn't below `count`.
std::vector<std::int32_t> stated_groups(std::vector<std::int32_t> groups, std::int64_t count,
                                        const std::string& place);

/// The weight of rows x the columns that planes.groups has, of which each `group` share a scale.
/// Fills the rest of `planes`. Throws Error for parts that don't fit together.
Tensor linear_weight(const Module& module, const LinearParts& parts, LinearPlanes planes,
                     std::int64_t rows, std::int64_t group);

/// Groups of even size, as many as each of the rows of `scales` has. Throws Error for scales of other
/// rows, or that don't divide the columns.
LinearPlanes even_planes(const Module& module, const Tensor& scales, std::int64_t rows,
                         std::int64_t cols);

/// The weight of int8 codes [rows, columns], with scales [rows, groups] and zero-points of the same
/// shape, or none (nullptr). Throws Error for parts that don't fit together.
Tensor byte_weight(const Module& module, const Tensor& codes, const Tensor& scales,
                   const Tensor* zeros);

}  // namespace zp
