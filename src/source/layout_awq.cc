// AWQ's layout, version "gemm"; of a module with `out` rows and `in` columns:
//
//   X.qweight   i32 [in, out * bits / 32]       codes, a word's from one column
//   X.qzeros    i32 [groups, out * bits / 32]   zero-points, a word's from one group
//   X.scales    f16, bf16 or f32 [groups, out]
//
// Of eight in a word the lowest bits hold the first, the next the third ... w = s (q - z). Source:
// AutoAWQ, awq/modules/linear/gemm.py.
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/named.h"
#include "source/linear_module.h"

namespace zp {
namespace {

constexpr std::string_view kInt32 = "int32";
constexpr std::int64_t kWord = 32;
constexpr std::int64_t kBits = 4;  // AWQ has no others
constexpr PlaneForm kForm = {.word = kWord,
                             .along = WordsAlong::column,
                             .transposed = true,
                             .order = {0, 2, 4, 6, 1, 3, 5, 7}};

bool recognizes(const Json& quantization) {
  return quantization.value("quant_method", Json()) == Json("awq");
}

Tensor joined(Module& module) {
  const std::string place = module.place();
  const Tensor& codes = module.need("qweight");
  const Tensor& zeros = module.need("qzeros");
  const Tensor& scales = module.need("scales");
  if (codes.shape.size() != 2 || codes.shape[0] < 1 || codes.shape[1] < 1 ||
      scales.shape.size() != 2 || scales.shape[0] < 1 || codes.shape[0] % scales.shape[0] != 0) {
    throw Error(place, "no quantized matrix of AWQ",
                "int32 codes and a row of scales for each group",
                described(codes) + " beside " + described(scales));
  }
  LinearPlanes planes;
  planes.bits = kBits;
  const std::int64_t cols = codes.shape[0];
  const std::int64_t rows = checked_mul(codes.shape[1], kWord / kBits, place);
  planes.group_count = scales.shape[0];
  const std::int64_t group = cols / planes.group_count;
  planes.groups = even_groups(cols, group);
  check_part(codes, kInt32, codes.shape, place);
  check_part(scales, scales.type, std::array{planes.group_count, rows}, place);
  check_part(zeros, kInt32, std::array{planes.group_count, codes.shape[1]}, place);
  return linear_weight(module, {codes, &zeros, scales, kForm, kForm}, std::move(planes), rows,
                       group);
}

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const JsonFields fields(quantization, where);
  if (const std::int64_t bits = fields.integer("bits", kBits); bits != kBits) {
    throw Error(where + ": \"bits\"", "not supported", std::to_string(kBits), std::to_string(bits));
  }
  if (const std::string version = fields.text("version", "gemm"); lower_case(version) != "gemm") {
    throw Error(where + ": \"version\"", "not supported", "gemm", "\"" + printable(version) + "\"");
  }
  join_modules(checkpoint, "qweight", joined);
}

}  // namespace

extern const WeightLayout layout_awq;
const WeightLayout layout_awq = {recognizes, join};

}  // namespace zp
