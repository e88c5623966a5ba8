// config.json: "quantization": {"group_size": 64, "bits": 4, "mode": "affine", PATH: {...} | false}
//
//   X.weight  uint32 [rows, cols bits / 32]   X.scales, X.biases  float [rows, cols / group]
//
// Source: mlx docs (quantize), mlx_lm/utils.py. Modes of micro-scaled floats (mxfp4, nvfp4, mxfp8)
// are refused.
#include "source/mlx.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/error.h"
#include "source/grid_rows.h"

namespace zp {
namespace {

struct Form {
  std::int64_t group = 0;
  std::int64_t bits = 0;
};

Form read_form(const Json& object, const std::string& where) {
  const JsonFields fields(object, where);
  if (const std::string mode = fields.text("mode", "affine"); mode != "affine")
    throw Error(where + ": \"mode\"", "not supported", "affine", "\"" + printable(mode) + "\"");
  const Form form{fields.integer("group_size"), fields.integer("bits")};
  constexpr std::array<std::int64_t, 6> kBits = {2, 3, 4, 5, 6, 8};
  if (std::find(kBits.begin(), kBits.end(), form.bits) == kBits.end())
    throw Error(where + ": \"bits\"", "not supported", "2 to 6 or 8", std::to_string(form.bits));
  if (form.group != 32 && form.group != 64 && form.group != 128)
    throw Error(where + ": \"group_size\"", "not supported", "32, 64 or 128",
                std::to_string(form.group));
  return form;
}

std::string_view scale_word(std::string_view type) {
  return type == "fp32" ? "s32" : type == "fp16" ? "s16" : type == "bf16" ? "sbf16" : "";
}

Tensor joined(const Tensor& codes, const Tensor& scales, const Tensor& biases, const Form& form,
              const std::string& where) {
  const std::string place = where + ": tensor \"" + codes.name + "\"";
  const std::string_view scale = scale_word(scales.type);
  if (codes.type != info(DType::u32).name || codes.shape.size() != 2 || scale.empty() ||
      biases.type != scales.type || scales.shape != biases.shape || scales.shape.size() != 2) {
    throw Error(place, "no quantized matrix of MLX",
                "u32 codes, scales and biases of one floating type and shape");
  }
  const std::int64_t rows = codes.shape[0];
  const std::int64_t cols = checked_mul(scales.shape[1], form.group, place);
  if (scales.shape[0] != rows ||
      checked_mul(cols, form.bits, place) != checked_mul(codes.shape[1], 32, place)) {
    throw Error(place, "codes and scales are of different matrices",
                std::to_string(form.bits) + " bits in groups of " + std::to_string(form.group));
  }
  auto grid = make_grid("int" + std::to_string(form.bits) + ":g" + std::to_string(form.group) +
                        ":min:" + std::string(scale));
  Tensor tensor;
  tensor.name = codes.name;
  tensor.type = grid->spec();
  tensor.shape = {rows, cols};
  tensor.bytes = codes.bytes + scales.bytes + biases.bytes;
  tensor.rows =
      grid_rows({codes.stored, scales.stored, biases.stored}, std::move(grid), rows, cols);
  if (tensor.rows == nullptr) throw Error(place, "bytes don't fit the matrix");
  return tensor;
}

}  // namespace

void join_mlx(Checkpoint& checkpoint) {
  constexpr const char* kKey = "quantization";
  constexpr std::string_view kWeight = ".weight";
  if (!checkpoint.config.is_object() || !checkpoint.config.contains(kKey)) return;
  const std::string config = (checkpoint.folder / "config.json").string() + ": \"" + kKey + "\"";
  const Json how = checkpoint.config[kKey];
  const Form common = read_form(how, config);
  std::vector<Tensor> tensors;
  std::vector<bool> used(checkpoint.tensors.size(), false);
  for (const Tensor& tensor : checkpoint.tensors) {
    if (!tensor.name.ends_with(kWeight)) continue;
    const std::string path = tensor.name.substr(0, tensor.name.size() - kWeight.size());
    const Tensor* scales = checkpoint.find(path + ".scales");
    const Tensor* biases = checkpoint.find(path + ".biases");
    if (scales == nullptr || biases == nullptr) continue;
    const bool own = how.contains(path) && how[path].is_object();
    const Form form = own ? read_form(how[path], config + ": \"" + path + "\"") : common;
    tensors.push_back(joined(tensor, *scales, *biases, form, checkpoint.path.string()));
    for (const Tensor* part : {&tensor, scales, biases})
      used[static_cast<std::size_t>(part - checkpoint.tensors.data())] = true;
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) tensors.push_back(std::move(checkpoint.tensors[i]));
  }
  checkpoint.replace(std::move(tensors));
  checkpoint.world = World::mlx;
  checkpoint.config.erase(kKey);
  checkpoint.config.erase("quantization_config");
}

}  // namespace zp
