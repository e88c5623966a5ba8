#include "source/quantized.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

constexpr std::array kKeys = {"quantization_config", "compression_config"};
constexpr const char* kMethod = "quant_method";
constexpr std::string_view kWeight = ".weight";

// How people write what config.json's quant_method says; another method is shown as it stands.
struct MethodName {
  std::string_view method;
  std::string_view name;
};
constexpr std::array kMethodNames = {
    MethodName{"gptq", "GPTQ"},
    MethodName{"awq", "AWQ"},
    MethodName{"fp8", "FP8 in blocks"},
    MethodName{"fbgemm_fp8", "FP8 (FBGEMM)"},
    MethodName{"hqq", "HQQ"},
    MethodName{"quanto", "Quanto"},
    MethodName{"aqlm", "AQLM"},
    MethodName{"eetq", "EETQ"},
    MethodName{"auto-round", "AutoRound"},
    MethodName{"modelopt", "NVIDIA ModelOpt"},
    MethodName{"mxfp4", "MXFP4"},
};

// What tensors of a method are called: `part` stands in the name or ends it. Used where config.json
// says no method.
struct Sign {
  std::string_view part;
  std::string_view name;
};
constexpr std::array kSigns = {
    Sign{".qweight", "GPTQ or AWQ"},
    Sign{".weight_packed", "compressed-tensors"},
    Sign{".weight_scale_inv", "FP8 in blocks"},
    Sign{".weight_scale", "compressed-tensors or ModelOpt"},
    Sign{".weight.absmax", "bitsandbytes"},
    Sign{".weight.quant_state.bitsandbytes__", "bitsandbytes"},
    Sign{".SCB", "bitsandbytes"},
    Sign{".weight._data", "Quanto"},
    Sign{".W_q", "HQQ"},
    Sign{".codebooks", "AQLM"},
    Sign{".weight_scales", "EETQ"},
    Sign{".q_weight", "EXL2"},
    Sign{".trellis", "EXL3"},
};
constexpr std::array<std::string_view, 4> kFloats = {"fp64", "fp32", "fp16", "bf16"};

const Json* quantization_of(const Json& config) {
  if (!config.is_object()) return nullptr;
  for (const char* key : kKeys) {
    const auto found = config.find(key);
    if (found != config.end() && found->is_object()) return &*found;
  }
  return nullptr;
}

std::string method_of(const Json& quantization) {
  const auto method = quantization.find(kMethod);
  if (method == quantization.end() || !method->is_string()) return "a method not named";
  const auto text = method->get<std::string>();
  const auto known = std::ranges::find(kMethodNames, text, &MethodName::method);
  return known == kMethodNames.end() ? text : std::string(known->name);
}

const Sign* sign_of(const Tensor& tensor) {
  const auto found = std::ranges::find_if(
      kSigns, [&](const Sign& sign) { return tensor.name.find(sign.part) != std::string::npos; });
  return found == kSigns.end() ? nullptr : &*found;
}

bool is_float(const Tensor& tensor) {
  return std::ranges::find(kFloats, tensor.type) != kFloats.end();
}

// Whose name or type says that it isn't a float weight; nullptr: there is none. A type counts only
// where the config states a method: FP8 alone may be a float format.
const Tensor* quantized_tensor(const Checkpoint& checkpoint) {
  const bool stated = quantization_of(checkpoint.config()) != nullptr;
  const auto found = std::ranges::find_if(checkpoint.tensors, [&](const Tensor& t) {
    return sign_of(t) != nullptr || (stated && t.name.ends_with(kWeight) && !is_float(t));
  });
  return found == checkpoint.tensors.end() ? nullptr : &*found;
}

}  // namespace

void settle_quantization(Checkpoint& checkpoint) {
  const Json* stated = quantization_of(checkpoint.config());
  if (stated == nullptr || quantized_tensor(checkpoint) != nullptr) return;
  checkpoint.notes.push_back("config.json says quantized by " + method_of(*stated) +
                             ", but all weights are floats: they are read as they are");
  for (const char* key : kKeys) checkpoint.config().erase(key);
}

void refuse_quantized(const Checkpoint& checkpoint) {
  if (checkpoint.world != World::hf) return;
  const Tensor* tensor = quantized_tensor(checkpoint);
  if (tensor == nullptr) return;
  const Json* stated = quantization_of(checkpoint.config());
  const Sign* sign = sign_of(*tensor);
  throw Error(
      checkpoint.path.string(),
      "quantized already, by " + (stated != nullptr ? method_of(*stated) : std::string(sign->name)),
      "weights in floating point", "\"" + tensor->name + "\" of " + tensor->type);
}

}  // namespace zp
