// NVIDIA ModelOpt's layouts; of a module with `out` rows and `in` columns:
//
//   X.weight          f8_e4m3 [out, in]       FP8
//   X.weight_scale    f32, one
//
//   X.weight          u8 [out, in / 2]        NVFP4: two FP4 (E2M1) codes, the first in the low half
//   X.weight_scale    f8_e4m3 [out, in / 16]
//   X.weight_scale_2  f32, one                multiplies them all
//
// Source: modelopt/torch/quantization/qtensor.
#include "source/scaled_module.h"

namespace zp {
namespace {

bool recognizes(const Json& quantization) {
  return quantization.value("quant_method", Json()) == Json("modelopt");
}

Tensor joined(Module& module) {
  const Tensor& scales = module.need("weight_scale");
  const Tensor& weight = module.need("weight");
  const Tensor* all = module.take("weight_scale_2");
  if (all != nullptr) return microscaled_weight(module, "nvfp4", weight, scales, all);
  return scaled_weight(module, weight, scales, {weight.shape.empty() ? 1 : weight.shape[0], 1});
}

void join(Checkpoint& checkpoint, const Json&, const std::string&) {
  join_modules(checkpoint, "weight_scale", joined);
}

}  // namespace

extern const WeightLayout layout_modelopt;
const WeightLayout layout_modelopt = {recognizes, join};

}  // namespace zp
