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

/// For a tensor that check_inside let pass. Borrows `storage`. nullptr for one with more elements
/// than its storage (through strides of 0): no weights are stored so, and its shape may be any.
std::unique_ptr<RowReader> rows_of(const TensorRecord& tensor, Bytes storage,
                                   const std::string& where);

}  // namespace zp::pytorch
