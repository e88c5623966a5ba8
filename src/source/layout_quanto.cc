// Quanto's layout; of a module with `out` rows and `in` columns:
//
//   X.weight._data    i8 or f8_e4m3 [out, in]
//   X.weight._scale   [out, 1]                  w = s q
//
// Codes of 2 and 4 bits (X.weight._data._data) are packed in groups whose rows no file states; they are
// refused. Source: optimum-quanto, quanto/tensor/weights.
#include "base/error.h"
#include "source/linear_module.h"
#include "source/scaled_module.h"

namespace zp {
namespace {

bool recognizes(const Json& quantization) {
  return quantization.value("quant_method", Json()) == Json("quanto");
}

Tensor joined(Module& module) {
  if (const Tensor* packed = module.take("weight._data._data"); packed != nullptr) {
    throw Error(module.place(), "not supported", "codes of 8 bits",
                "packed ones, " + described(*packed));
  }
  const Tensor& codes = module.need("weight._data");
  const Tensor& scales = module.need("weight._scale");
  if (codes.rows == nullptr) return byte_weight(module, codes, scales, nullptr);
  return scaled_weight(module, codes, scales, {1, 1});
}

void join(Checkpoint& checkpoint, const Json&, const std::string&) {
  join_modules(checkpoint, "weight._scale", joined);
}

}  // namespace

extern const WeightLayout layout_quanto;
const WeightLayout layout_quanto = {recognizes, join};

}  // namespace zp
