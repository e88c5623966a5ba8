// GPTQ's layout, that of AutoGPTQ, GPTQModel and vLLM; of a module with `out` rows and `in` columns:
//
//   X.qweight   i32 [in * bits / 32, out]        codes, a word's from one row
//   X.qzeros    i32 [groups, out * bits / 32]    zero-points, a word's from one group
//   X.scales    f16, bf16 or f32 [groups, out]
//   X.g_idx     i32 [in]                         each column's group; missing: one behind the other
//
// w = s (q - z). In version 1, "gptq", z - 1 is stored, so that a z of 0 wraps: it is read as 0, while
// other programs have 2^bits or change its neighbour. Source: GPTQModel, nn_modules/qlinear.
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "source/linear_module.h"

namespace zp {
namespace {

constexpr std::string_view kInt32 = "int32";
constexpr std::int64_t kWord = 32;
constexpr PlaneForm kCodes = {.word = kWord, .transposed = true};

bool recognizes(const Json& quantization) {
  return quantization.value("quant_method", Json()) == Json("gptq");
}

/// What config.json says.
struct Stated {
  std::int64_t bits = 0;
  std::int64_t group = 0;  ///< -1: a row is one
  PlaneForm zeros;
};

Stated read_stated(const Json& quantization, const std::string& where) {
  const JsonFields fields(quantization, where);
  const Stated stated{fields.integer("bits"), fields.integer("group_size"), {}};
  if (stated.group != -1 && stated.group < 1) {
    throw Error(where + ": \"group_size\"", "no size of groups", "-1, or 1 and more",
                std::to_string(stated.group));
  }
  const std::string version = fields.text("checkpoint_format", "gptq");
  if (version != "gptq" && version != "gptq_v2") {
    throw Error(where + ": \"checkpoint_format\"", "not supported", "gptq or gptq_v2",
                "\"" + printable(version) + "\"");
  }
  return {stated.bits,
          stated.group,
          {.word = kWord,
           .along = WordsAlong::column,
           .transposed = true,
           .add = version == "gptq" ? ~0U : 0U}};
}

// Zero-points that wrapped, where words hold whole ones.
std::int64_t count_wrapped(const Tensor& zeros, std::int64_t bits) {
  if (kWord % bits != 0) return 0;
  const std::uint32_t highest = (1U << bits) - 1;
  std::int64_t count = 0;
  for (const std::uint32_t word : values_of<std::uint32_t>(zeros)) {
    for (std::int64_t at = 0; at < kWord; at += bits) count += (word >> at & highest) == highest;
  }
  return count;
}

Tensor joined(Module& module, const Stated& stated, std::int64_t& wrapped) {
  const std::string place = module.place();
  const Tensor& codes = module.need("qweight");
  const Tensor& zeros = module.need("qzeros");
  const Tensor& scales = module.need("scales");
  const Tensor* of = module.take("g_idx");
  if (codes.type != kInt32 || codes.shape.size() != 2 || codes.shape[0] < 1 || codes.shape[1] < 1 ||
      scales.shape.size() != 2 || scales.shape[0] < 1) {
    throw Error(place, "no quantized matrix of GPTQ",
                "int32 codes and a row of scales for each group",
                described(codes) + " beside " + described(scales));
  }
  LinearPlanes planes;
  // A module may have other bits than the config says of all ...
  const std::int64_t packed = checked_mul(codes.shape[0], kWord, place);
  const bool tells = of != nullptr && of->shape.size() == 1 && of->shape[0] > 0;
  planes.bits = tells ? packed / of->shape[0] : stated.bits;
  check_bits(planes.bits, place);
  const std::int64_t rows = codes.shape[1];
  const std::int64_t cols = packed / planes.bits;
  std::int64_t group = stated.group == -1 ? cols : stated.group;
  const std::int64_t rows_of_scales = scales.shape[0];  // or groups of another size
  if (tells && ceil_div(cols, group) != rows_of_scales && cols % rows_of_scales == 0)
    group = cols / rows_of_scales;
  planes.group_count = ceil_div(cols, group);
  check_part(scales, scales.type, std::array{planes.group_count, rows}, place);
  check_part(zeros, kInt32, std::array{planes.group_count, ceil_div(rows * planes.bits, kWord)},
             place);
  if (stated.zeros.add != 0) wrapped += count_wrapped(zeros, planes.bits);
  if (of != nullptr) check_part(*of, kInt32, std::array{cols}, place);
  planes.groups = of != nullptr
                      ? stated_groups(values_of<std::int32_t>(*of), planes.group_count, place)
                      : even_groups(cols, group);
  return linear_weight(module, {codes, &zeros, scales, kCodes, stated.zeros}, std::move(planes),
                       rows, group);
}

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const Stated stated = read_stated(quantization, where);
  std::int64_t wrapped = 0;
  join_modules(checkpoint, "qweight",
               [&](Module& module) { return joined(module, stated, wrapped); });
  if (wrapped == 0) return;
  checkpoint.notes.push_back(std::to_string(wrapped) +
                             " zero-points of 0 wrapped when they were stored (GPTQ's version 1): "
                             "they are read as 0, and programs differ there");
}

}  // namespace

extern const WeightLayout layout_gptq;
const WeightLayout layout_gptq = {recognizes, join};

}  // namespace zp
