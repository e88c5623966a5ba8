// compressed-tensors, what llm-compressor writes; of a module with `out` rows and `in` columns:
//
//   pack-quantized   X.weight_packed       i32 [out, in * bits / 32]      codes, a word's from one row
//                    X.weight_zero_point   i32 [out * bits / 32, groups]  a word's from one column
//                    X.weight_shape        i64 or i32 [2]                 out, in
//                    X.weight_g_idx        i32 [in]                       each column's group, or -1
//   int-quantized    X.weight              i8 [out, in]
//                    X.weight_zero_point   i8 [out, groups]
//   float-quantized  X.weight              f8_e4m3 [out, in]
//   nvfp4-pack-...   X.weight_packed       u8 [out, in / 2]               FP4, the first in the low half
//                    X.weight_global_scale f32, one                       divides them all
//   mxfp4-pack-...   X.weight_packed       u8 [out, in / 2]
//   mxfp8-...        X.weight              f8_e4m3 [out, in]
//
// and X.weight_scale [out, groups], in blocks, one of each row or of the tensor; FP8 (E4M3) or powers
// of two of small groups. w = s (q - z); where no zero-points are stored, packed codes have half of their
// range for zero. The tensors say which of these a module is: a folder may have several. Source:
// compressed_tensors/compressors.
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "source/linear_module.h"
#include "source/scaled_module.h"

namespace zp {
namespace {

constexpr std::string_view kInt32 = "int32";
constexpr std::string_view kInt8 = "int8";
constexpr std::int64_t kWord = 32;
constexpr PlaneForm kPackedCodes = {.word = kWord};
constexpr PlaneForm kPackedZeros = {.word = kWord, .along = WordsAlong::column};
constexpr ScaleBlock kUsualBlock = {128, 128};

bool recognizes(const Json& quantization) {
  return quantization.value("quant_method", Json()) == Json("compressed-tensors");
}

// Rows and columns.
std::array<std::int64_t, 2> stated_shape(const Tensor& shape, const std::string& place) {
  const bool wide = shape.type == info(DType::i64).name;
  if (!wide) check_part(shape, kInt32, std::array<std::int64_t, 1>{2}, place);
  check_part(shape, shape.type, std::array<std::int64_t, 1>{2}, place);
  std::vector<std::int64_t> sizes;
  if (wide) {
    sizes = values_of<std::int64_t>(shape);
  } else {
    for (const std::int32_t size : values_of<std::int32_t>(shape)) sizes.push_back(size);
  }
  return {sizes[0], sizes[1]};
}

// Of rows of `cols` codes in so many words; 0: of none.
std::int64_t bits_of(std::int64_t words, std::int64_t cols) {
  for (std::int64_t bits = kLeastBits; bits <= kMostBits; ++bits) {
    if (cols <= words * kWord && ceil_div(cols * bits, kWord) == words) return bits;
  }
  return 0;
}

LinearPlanes grouped(Module& module, const Tensor& scales, std::int64_t rows, std::int64_t cols) {
  LinearPlanes planes = even_planes(module, scales, rows, cols);
  const Tensor* of = module.take("weight_g_idx");
  if (of == nullptr) return planes;
  check_part(*of, kInt32, std::array{cols}, module.place());
  const std::vector<std::int32_t> stated = values_of<std::int32_t>(*of);
  if (stated[0] != -1) planes.groups = stated_groups(stated, planes.group_count, module.place());
  return planes;
}

Tensor packed(Module& module, const Tensor& codes, const Tensor& scales) {
  const std::string place = module.place();
  const auto [rows, cols] = stated_shape(module.need("weight_shape"), place);
  const Tensor* zeros = module.take("weight_zero_point");
  if (rows < 1 || cols < 1) {
    throw Error(place + ": \"weight_shape\"", "no matrix", "rows and columns, 1 and more",
                std::to_string(rows) + " x " + std::to_string(cols));
  }
  if (codes.shape.size() != 2 || codes.shape[0] != rows) {
    throw Error(place, "no packed matrix", "int32 of " + std::to_string(rows) + " rows",
                described(codes));
  }
  const std::int64_t bits = bits_of(codes.shape[1], cols);
  if (bits == 0) {
    throw Error(place, "not supported", "2 to 8 bits",
                std::to_string(codes.shape[1]) + " words for " + std::to_string(cols) + " codes");
  }
  LinearPlanes planes = grouped(module, scales, rows, cols);
  planes.bits = bits;
  planes.zero = 1 << (bits - 1);
  if (zeros != nullptr) {
    check_part(*zeros, kInt32, std::array{ceil_div(rows * bits, kWord), planes.group_count}, place);
  }
  const std::int64_t group = cols / planes.group_count;
  return linear_weight(module, {codes, zeros, scales, kPackedCodes, kPackedZeros},
                       std::move(planes), rows, group);
}

Tensor joined(Module& module) {
  const Tensor& scales = module.need("weight_scale");
  const Tensor* codes = module.take("weight_packed");
  if (codes != nullptr && codes->type == kInt32) return packed(module, *codes, scales);
  if (codes != nullptr) {
    const Tensor* all = module.take("weight_global_scale");
    return microscaled_weight(module, all != nullptr ? "nvfp4" : "mxfp4", *codes, scales, all,
                              ScaleUse::divide);
  }
  const Tensor& weight = module.need("weight");
  if (weight.type == kInt8)
    return byte_weight(module, weight, scales, module.take("weight_zero_point"));
  if (scales.type == info(DType::u8).name)
    return microscaled_weight(module, "mxfp8", weight, scales, nullptr);
  return scaled_weight(module, weight, scales, kUsualBlock);
}

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const JsonFields fields(quantization, where);
  if (const std::string format = fields.text("format", ""); format == "marlin-24") {
    throw Error(where + ": \"format\"", "not supported", "a packed, int or float one",
                "\"" + format + "\"");
  }
  const Json sparsity = quantization.value("sparsity_config", Json());
  if (sparsity.is_object()) {
    const std::string format =
        JsonFields(sparsity, where + ": \"sparsity_config\"").text("format", "dense");
    if (format != "dense") {
      throw Error(where + ": \"sparsity_config\"", "not supported", "\"dense\"",
                  "\"" + printable(format) + "\"");
    }
  }
  join_modules(checkpoint, "weight_scale", joined);
}

}  // namespace

extern const WeightLayout layout_compressed_tensors;
const WeightLayout layout_compressed_tensors = {recognizes, join};

}  // namespace zp
