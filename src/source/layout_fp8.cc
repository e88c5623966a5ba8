// FP8 as DeepSeek, Qwen and others publish it; of a module with `out` rows and `in` columns:
//
//   X.weight             f8_e4m3 [out, in]
//   X.weight_scale_inv   f32 or bf16 [out / 128, in / 128]   what a block's weights are multiplied by
//
// or X.weight_scale, one of the tensor or of each row. Source: transformers,
// integrations/finegrained_fp8.py.
#include "base/error.h"
#include "base/json_fields.h"
#include "source/scaled_module.h"

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

void join(Checkpoint& checkpoint, const Json& quantization, const std::string& where) {
  const ScaleBlock block = read_block(quantization, where);
  for (const char* scale : {"weight_scale_inv", "weight_scale"}) {
    join_modules(checkpoint, scale, [&](Module& module) {
      const Tensor& scales = module.need(scale);
      return scaled_weight(module, module.need("weight"), scales, block);
    });
  }
}

}  // namespace

extern const WeightLayout layout_fp8;
const WeightLayout layout_fp8 = {recognizes, join};

}  // namespace zp
