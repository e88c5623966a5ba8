// Metadata values of GGUF: how the format numbers the types that Value keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "format/gguf.h"

namespace zp::gguf {

inline constexpr std::int32_t kArrayId = 9;
inline constexpr std::size_t kScalars = 12;

// U8 0, I8 1, U16 2, I16 3, U32 4, I32 5, F32 6, BOOL 7, STRING 8, (ARRAY 9,) U64 10, I64 11, F64
// 12: the order of Value's alternatives, whose arrays follow in the same order.
static_assert(std::variant_size_v<Value> == 2 * kScalars);

constexpr std::int32_t id_of_scalar(std::size_t alternative) {
  return static_cast<std::int32_t>(alternative) + (alternative < kArrayId ? 0 : 1);
}

/// kScalars or above when there is no such scalar type.
constexpr std::size_t scalar_of_id(std::int32_t id) {
  if (id < 0 || id == kArrayId) return kScalars;
  return static_cast<std::size_t>(id) - (id < kArrayId ? 0 : 1);
}

}  // namespace zp::gguf
