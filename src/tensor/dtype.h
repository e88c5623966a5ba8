// Element types of stored tensors, as data: one row per type.
#pragma once

#include <cstdint>
#include <string_view>

namespace zp {

enum class DType : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  f8_e4m3,
  f8_e5m2,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean,
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;         ///< ours, e.g. "bf16"
  std::string_view safetensors;  ///< e.g. "BF16"
  int bytes;
  bool floating;
};

const DTypeInfo& info(DType dtype);
/// The type of a safetensors header's word, or nullptr.
const DTypeInfo* dtype_of_safetensors(std::string_view word);

}  // namespace zp
