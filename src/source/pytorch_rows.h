// A PyTorch tensor's rows over its storage: any strides.
#pragma once

#include <memory>

#include "base/view.h"
#include "source/pytorch_objects.h"
#include "tensor/rows.h"

namespace zp::pytorch {

/// The tensor's bytes (elements times their size). Throws Error when it reaches outside its storage
/// of `storage_bytes`.
std::int64_t check_inside(const TensorRecord& tensor, std::int64_t storage_bytes,
                          const std::string& where);

/// For a tensor that check_inside let pass. Borrows `storage`. Strides of 0 repeat what is stored
/// (an expanded tensor); nullptr where they make more than kMostExpanded elements of it: a few
/// bytes shall not be work without end.
std::unique_ptr<RowReader> rows_of(const TensorRecord& tensor, Bytes storage,
                                   const std::string& where);
inline constexpr std::int64_t kMostExpanded = std::int64_t{1} << 28;

/// The tensor's bytes where they lie side by side, row after row, else empty.
Bytes side_by_side(const TensorRecord& tensor, Bytes storage);

}  // namespace zp::pytorch
