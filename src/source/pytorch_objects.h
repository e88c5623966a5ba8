// What PyTorch's pickles mean: tensors over storages. The list of names is closed; nothing is run.
// Source: torch/serialization.py, torch/_utils.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/pickle.h"
#include "tensor/dtype.h"

namespace zp::pytorch {

struct Storage {
  std::string_view key;
  const DTypeInfo* dtype = nullptr;  ///< nullptr: plain bytes
  std::int64_t elements = 0;         ///< of the dtype; bytes when there is none
  std::int64_t view_begin = 0;       ///< part that tensors see, in elements (old files have views)
  std::int64_t view_elements = 0;
};

struct TensorRecord {
  std::string name;
  DType dtype = DType::f32;
  Storage storage;
  std::int64_t offset = 0;  ///< elements from the beginning of the view
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< elements
};

/// Names that PyTorch's pickles may mention.
std::span<const pickle::Global> allowed_names();

/// The storages that the pickle refers to, in its order; one may come several times.
std::vector<Storage> storages_of(const pickle::Object& object, const std::string& where);

/// The tensors of the model's dictionary: the root, or the dictionary inside it under a usual name
/// ("state_dict", "model" ...), or the only one that holds tensors. What is no tensor is skipped.
/// Throws Error.
std::vector<TensorRecord> tensors_of(const pickle::Object& object, const std::string& where);

}  // namespace zp::pytorch
