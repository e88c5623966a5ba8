#include "source/weight_layout.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"

namespace zp {

#define ZP_LAYOUT(name) extern const WeightLayout layout_##name;
#include "source/weight_layouts.def"
#undef ZP_LAYOUT

namespace {

constexpr std::array kLayouts = {
#define ZP_LAYOUT(name) &layout_##name,
#include "source/weight_layouts.def"
#undef ZP_LAYOUT
};

constexpr const char* kKey = "quantization_config";
constexpr std::string_view kWeight = ".weight";

// Files in which some programs say what config.json says of others: the object in it (empty: the
// file's own), and the method where it names none.
struct OtherStatement {
  const char* file;
  const char* object;
  const char* method;
};
constexpr std::array kOtherStatements = {
    OtherStatement{"quantize_config.json", "", "gptq"},
    OtherStatement{"hf_quant_config.json", "quantization", "modelopt"},
    OtherStatement{"quanto_qmap.json", "", "quanto"},
};
constexpr const char* kMethod = "quant_method";

/// What a folder says of how its weights are quantized, and where; null: nothing.
std::pair<Json, std::string> stated_quantization(const Checkpoint& checkpoint) {
  const std::filesystem::path config = checkpoint.folder / "config.json";
  Json stated = checkpoint.config().value(kKey, Json());
  if (stated.is_object()) return {std::move(stated), config.string() + ": \"" + kKey + "\""};
  for (const OtherStatement& other : kOtherStatements) {
    const std::filesystem::path path = checkpoint.folder / other.file;
    if (!std::filesystem::exists(path)) continue;
    Json json = read_json(path);
    const std::string object = other.object;
    if (!object.empty() && json.is_object()) json = json.value(object, Json());
    if (!json.is_object()) continue;
    if (!json.contains(kMethod)) json[kMethod] = other.method;
    return {std::move(json), path.string()};
  }
  return {};
}

// What belongs to activations, and the cache of keys and values, which are computed as floats here.
constexpr std::array<std::string_view, 10> kActivationParts = {".input_scale",
                                                               ".activation_scale",
                                                               "_activation_scale",
                                                               ".input_zero_point",
                                                               ".input_global_scale",
                                                               ".output_scale",
                                                               ".output_zero_point",
                                                               ".k_scale",
                                                               ".v_scale",
                                                               ".q_scale"};

bool is_of_activations(const Tensor& tensor) {
  return std::ranges::any_of(kActivationParts,
                             [&](std::string_view part) { return tensor.name.ends_with(part); });
}

void leave_out_activations(Checkpoint& checkpoint) {
  std::vector<Tensor> tensors;
  for (Tensor& tensor : checkpoint.tensors) {
    if (!is_of_activations(tensor)) tensors.push_back(std::move(tensor));
  }
  const std::size_t left_out = checkpoint.tensors.size() - tensors.size();
  checkpoint.replace(std::move(tensors));
  if (left_out == 0) return;
  checkpoint.notes.push_back("left out: " + std::to_string(left_out) +
                             " scales of activations; weights alone are read");
}

}  // namespace

void join_weight_layouts(Checkpoint& checkpoint) {
  Json& config = checkpoint.config();
  if (checkpoint.world != World::hf || !config.is_object()) return;
  const auto [stated, where] = stated_quantization(checkpoint);
  if (!stated.is_object()) return;
  const auto layout = std::ranges::find_if(
      kLayouts, [&json = stated](const WeightLayout* l) { return l->recognizes(json); });
  if (layout == kLayouts.end()) return;
  const std::size_t before = checkpoint.tensors.size();
  (*layout)->join(checkpoint, stated, where);
  if (checkpoint.tensors.size() == before) return;
  leave_out_activations(checkpoint);
  config.erase(kKey);
}

std::string Module::place() const {
  return checkpoint_.path.string() + ": module \"" + path_ + "\"";
}

const Tensor* Module::take(std::string_view part) {
  const Tensor* tensor = checkpoint_.find(path_ + "." + std::string(part));
  if (tensor != nullptr)
    used_[static_cast<std::size_t>(tensor - checkpoint_.tensors.data())] = true;
  return tensor;
}

const Tensor& Module::need(std::string_view part) {
  const Tensor* tensor = take(part);
  if (tensor == nullptr)
    throw Error(place(), "part of a quantized matrix missing", "\"" + std::string(part) + "\"");
  return *tensor;
}

Tensor Module::weight(std::string type, std::int64_t rows, std::int64_t cols) const {
  Tensor tensor;
  tensor.name = path_ + std::string(kWeight);
  tensor.type = std::move(type);
  tensor.shape = {rows, cols};
  return tensor;
}

void join_modules(Checkpoint& checkpoint, std::string_view part,
                  const std::function<Tensor(Module& module)>& join) {
  const std::string ending = "." + std::string(part);
  std::vector<Tensor> joined;
  std::vector<bool> used(checkpoint.tensors.size(), false);
  for (const Tensor& tensor : checkpoint.tensors) {
    if (!tensor.name.ends_with(ending)) continue;
    Module module(checkpoint, tensor.name.substr(0, tensor.name.size() - ending.size()), used);
    joined.push_back(join(module));
    const Tensor* other = checkpoint.find(joined.back().name);
    if (other != nullptr && !used[static_cast<std::size_t>(other - checkpoint.tensors.data())])
      throw Error(module.place(), "has a weight beside its quantized one", "one of the two");
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) joined.push_back(std::move(checkpoint.tensors[i]));
  }
  checkpoint.replace(std::move(joined));
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text.empty() ? "a scalar" : text;
}

std::string described(const Tensor& tensor) {
  return tensor.type + " of " + shape_text(tensor.shape);
}

void check_part(const Tensor& tensor, std::string_view type, std::span<const std::int64_t> shape,
                const std::string& place) {
  if (tensor.type == type && std::ranges::equal(tensor.shape, shape)) return;
  throw Error(place + ": \"" + tensor.name + "\"", "doesn't fit its module",
              std::string(type) + " of " + shape_text(shape), described(tensor));
}

}  // namespace zp
