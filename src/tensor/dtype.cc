#include "tensor/dtype.h"

#include <array>
#include <cstddef>

#include "tensor/dtype_name.h"

namespace zp {
namespace {

constexpr std::array kDTypes = {
    DTypeInfo{DType::f64, "fp64", "F64", 8, true},
    DTypeInfo{DType::f32, "fp32", "F32", 4, true},
    DTypeInfo{DType::f16, "fp16", "F16", 2, true},
    DTypeInfo{DType::bf16, "bf16", "BF16", 2, true},
    DTypeInfo{DType::f8_e4m3, "fp8_e4m3", "F8_E4M3", 1, true},
    DTypeInfo{DType::f8_e5m2, "fp8_e5m2", "F8_E5M2", 1, true},
    DTypeInfo{DType::i64, "int64", "I64", 8, false},
    DTypeInfo{DType::i32, "int32", "I32", 4, false},
    DTypeInfo{DType::i16, "int16", "I16", 2, false},
    DTypeInfo{DType::i8, "int8", "I8", 1, false},
    DTypeInfo{DType::u64, "uint64", "U64", 8, false},
    DTypeInfo{DType::u32, "uint32", "U32", 4, false},
    DTypeInfo{DType::u16, "uint16", "U16", 2, false},
    DTypeInfo{DType::u8, "uint8", "U8", 1, false},
    DTypeInfo{DType::boolean, "bool", "BOOL", 1, false},
};

}  // namespace

const DTypeInfo& info(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

const DTypeInfo* dtype_of_name(std::string_view name) {
  for (const DTypeInfo& d : kDTypes) {
    if (d.name == name) return &d;
  }
  return nullptr;
}

const DTypeInfo* dtype_of_safetensors(std::string_view word) {
  for (const DTypeInfo& d : kDTypes) {
    if (d.safetensors == word) return &d;
  }
  return nullptr;
}

}  // namespace zp
