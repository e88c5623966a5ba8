// FP8 as DeepSeek, Qwen and others publish it; of a module with `out` rows and `in` columns:
//
//   X.weight             f8_e4m3 [out, in]
//   X.weight_scale_inv   f32 or bf16 [out / 128, in / 128]   what a block's weights are multiplied by
//
// or X.weight_scale, one of the tensor or of each row. All experts of a layer may lie in one tensor:
//
//   X_proj               f8_e4m3 [experts, out, in]
//   X_proj_scale_inv     [experts, out / 128, in / 128], or one for each expert
//
// Source: transformers, integrations/finegrained_fp8.py.
#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "source/scaled_module.h"
#include "tensor/dtype_name.h"

namespace zp {
namespace {

constexpr const char* kBlock = "weight_block_size";

bool recognizes(const Json& quantization) {
  const Json method = quantization.value("quant_method", Json());
  return method == Json("fp8") || method == Json("fbgemm_fp8");
}

ScaleBlock read_block(const Json& quantization, const std::string& where) {
  const Json stated = quantization.value(kBlock, Json());
  if (stated.is_null()) return {128, 128};
  ScaleBlock block{};
  const bool two = stated.is_array() && stated.size() == block.size();
  for (std::size_t i = 0; two && i < block.size(); ++i) {
    const Json& size = stated[i];
    if (size.is_number_integer()) block[i] = size.get<std::int64_t>();
  }
  if (block[0] < 1 || block[1] < 1) {
    throw Error(where + ": \"" + kBlock + "\"", "no size of blocks", "two numbers, 1 and more",
                stated.type_name());
  }
  return block;
}

constexpr std::string_view kOfExperts = "_proj_scale_inv";
constexpr std::string_view kEnd = "_scale_inv";

// Of blocks whose rows are one expert's, or of whole experts, the experts' rows run on.
Tensor scaled_experts(const Tensor& weight, const Tensor& scales, const ScaleBlock& block,
                      const std::string& place) {
  const auto& shape = weight.shape;
  const bool positive = std::ranges::all_of(shape, [](std::int64_t n) { return n > 0; });
  if (weight.rows == nullptr || scales.rows == nullptr || shape.size() != 3 || !positive) {
    throw Error(place, "no experts in FP8 with their scales", "floats of three dimensions",
                described(weight) + " beside " + described(scales));
  }
  const auto [experts, rows, cols] = std::array{shape[0], shape[1], shape[2]};
  const std::vector<std::int64_t> each = {experts, 1, 1};
  const std::vector<std::int64_t> blocks = {experts, ceil_div(rows, block[0]),
                                            ceil_div(cols, block[1])};
  const bool whole = scales.shape == each || scales.shape == std::vector{experts};
  if (!whole && (scales.shape != blocks || rows % block[0] != 0)) {
    throw Error(place, "scales don't fit the experts",
                shape_text(each) + ", or " + shape_text(blocks) + " of whole blocks",
                described(scales));
  }
  const ScaleBlock used = whole ? ScaleBlock{rows, cols} : block;
  const auto read = [](const Tensor& t, std::int64_t of_rows, std::int64_t of_cols) {
    return stored_rows(t.stored, dtype_of_name(t.type)->dtype, of_rows, of_cols);
  };
  const std::int64_t all = checked_mul(experts, rows, place);
  Tensor tensor;
  tensor.name = weight.name;
  tensor.type = weight.type + ":scaled";
  tensor.shape = shape;
  tensor.bytes = checked_add(weight.bytes, scales.bytes, place);
  tensor.rows = scaled_rows(read(weight, all, cols),
                            read(scales, all / used[0], ceil_div(cols, used[1])), used[0], used[1]);
  return tensor;
}

void join_experts(Checkpoint& checkpoint, const ScaleBlock& block) {
  std::vector<Tensor> joined;
  std::vector<bool> used(checkpoint.tensors.size(), false);
  const auto use = [&](const Tensor& tensor) {
    used[static_cast<std::size_t>(&tensor - checkpoint.tensors.data())] = true;
  };
  for (const Tensor& scales : checkpoint.tensors) {
    if (!scales.name.ends_with(kOfExperts)) continue;
    const Tensor* weight = checkpoint.find(scales.name.substr(0, scales.name.size() - kEnd.size()));
    if (weight == nullptr) continue;  // it is no part of the model then, which is said
    joined.push_back(scaled_experts(
        *weight, scales, block, checkpoint.path.string() + ": tensor \"" + weight->name + "\""));
    use(*weight);
    use(scales);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) joined.push_back(std::move(checkpoint.tensors[i]));
  }
  checkpoint.replace(std::move(joined));
}

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const ScaleBlock block = read_block(quantization, where);
  for (const char* scale : {"weight_scale_inv", "weight_scale"}) {
    join_modules(checkpoint, scale, [&](Module& module) {
      const Tensor& scales = module.need(scale);
      return scaled_weight(module, module.need("weight"), scales, block);
    });
  }
  join_experts(checkpoint, block);
}

}  // namespace

extern const WeightLayout layout_fp8;
const WeightLayout layout_fp8 = {recognizes, join};

}  // namespace zp
