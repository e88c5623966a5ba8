#include "format/onnx.h"

#include <array>

namespace zp::onnx {
namespace {

constexpr std::array kTypes = {
    std::pair{Type::f64, DType::f64},         std::pair{Type::f32, DType::f32},
    std::pair{Type::f16, DType::f16},         std::pair{Type::bf16, DType::bf16},
    std::pair{Type::f8_e4m3, DType::f8_e4m3}, std::pair{Type::f8_e5m2, DType::f8_e5m2},
    std::pair{Type::i64, DType::i64},         std::pair{Type::i32, DType::i32},
    std::pair{Type::i16, DType::i16},         std::pair{Type::i8, DType::i8},
    std::pair{Type::u64, DType::u64},         std::pair{Type::u32, DType::u32},
    std::pair{Type::u16, DType::u16},         std::pair{Type::u8, DType::u8},
    std::pair{Type::boolean, DType::boolean},
};

}  // namespace

std::optional<DType> dtype_of(Type type) {
  for (const auto& [known, dtype] : kTypes) {
    if (known == type) return dtype;
  }
  return std::nullopt;
}

Type type_of(DType dtype) {
  for (const auto& [type, known] : kTypes) {
    if (known == dtype) return type;
  }
  return {};
}

}  // namespace zp::onnx
