// config.json: "quantization": {"group_size": 64, "bits": 4, "mode": "affine", PATH: {...} | false}
//
// As mlx-lm reads it (mlx_lm/utils.py): what is said of a path counts; of a matrix that no path
// names the tensors count, where they can't be what is said of all. "quantization" goes before
// "quantization_config", whose meaning is another where it names a method.
#include "source/mlx.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "format/mlx.h"
#include "source/grid_rows.h"

namespace zp {
namespace {

constexpr const char* kKey = "quantization";

/// "2, 3 or 4" of values in any order.
std::string choices(std::span<const std::int64_t> values) {
  std::vector<std::int64_t> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  std::string text;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0) text += i + 1 < sorted.size() ? ", " : " or ";
    text += std::to_string(sorted[i]);
  }
  return text;
}

mlx::Form read_form(const Json& object, const std::string& where) {
  const JsonFields fields(object, where);
  const std::string name = fields.text("mode", "affine");
  const mlx::Mode* mode = mlx::find_mode(name);
  if (mode == nullptr) {
    std::string known;
    for (const mlx::Mode& m : mlx::modes())
      known += (known.empty() ? "" : ", ") + std::string(m.name);
    throw Error(where + ": \"mode\"", "not supported", known, "\"" + printable(name) + "\"");
  }
  if (fields.boolean("global_scale", false))
    throw Error(where + ": \"global_scale\"", "not supported", "none", "true");
  const mlx::Form form{mode, fields.integer("group_size", mode->groups[0]),
                       fields.integer("bits", mode->bits[0])};
  const auto check = [&](const char* key, std::int64_t value, std::span<const std::int64_t> known) {
    if (std::ranges::find(known, value) == known.end())
      throw Error(where + ": \"" + key + "\"", "not supported", choices(known) + " in mode " + name,
                  std::to_string(value));
  };
  check("bits", form.bits, mode->bits);
  check("group_size", form.group, mode->groups);
  return form;
}

// Another method's words may be left over from what the model was made of.
void check_agreement(const Json& config, const std::string& where) {
  const Json other = config.value("quantization_config", Json());
  if (!other.is_object() || other.contains("quant_method") || other == config[kKey]) return;
  throw Error(where, "\"quantization\" and \"quantization_config\" contradict each other",
              "the same in both");
}

/// The tensors of one module.
struct Parts {
  const Tensor* codes;
  const Tensor* scales;
  const Tensor* biases;  ///< or nullptr
};

bool fits(const mlx::Form& form, const Parts& parts, const std::string& place) {
  const bool typed = form.mode->scales ? parts.scales->type == info(*form.mode->scales).name
                                       : !scale_word(parts.scales->type).empty();
  const std::int64_t per_scale = form.group * form.bits;
  return typed && checked_mul(parts.codes->shape.back(), 32, place) ==
                      checked_mul(parts.scales->shape.back(), per_scale, place);
}

/// Of a matrix that no path names.
mlx::Form form_of(const Parts& parts, const mlx::Form& common, const std::string& place) {
  if (fits(common, parts, place)) return common;
  for (const mlx::Mode& mode : mlx::modes()) {
    const mlx::Form form{&mode, mode.groups[0], mode.bits[0]};
    if (mode.scales && fits(form, parts, place)) return form;
  }
  return common;
}

std::string spec_of(const mlx::Form& form, std::string_view scale) {
  if (!form.mode->grid.empty()) return std::string(form.mode->grid);
  return "int" + std::to_string(form.bits) + ":g" + std::to_string(form.group) +
         ":min:" + std::string(scale);
}

Tensor joined(const Parts& parts, const mlx::Form& form, const std::string& place) {
  const auto& [codes, scales, biases] = parts;
  if (!fits(form, parts, place)) {
    throw Error(place, "codes and scales are of different matrices",
                std::to_string(form.bits) + " bits in groups of " + std::to_string(form.group) +
                    ", mode " + std::string(form.mode->name));
  }
  const bool wants_biases = !form.mode->scales;
  if (wants_biases != (biases != nullptr) ||
      (wants_biases && (biases->type != scales->type || biases->shape != scales->shape))) {
    throw Error(place, "no quantized matrix of MLX",
                wants_biases ? "scales and biases of one floating type and shape"
                             : "no biases in mode " + std::string(form.mode->name));
  }
  std::int64_t rows = 1;
  for (std::size_t d = 0; d + 1 < codes->shape.size(); ++d)
    rows = checked_mul(rows, codes->shape[d], place);
  const std::int64_t cols = checked_mul(scales->shape.back(), form.group, place);
  std::vector<Bytes> planes = {codes->stored, scales->stored};
  if (wants_biases) planes.push_back(biases->stored);
  auto grid = make_grid(spec_of(form, scale_word(scales->type)));
  Tensor tensor;
  tensor.name = codes->name;
  tensor.type = grid->spec();
  tensor.shape = codes->shape;
  tensor.shape.back() = cols;
  for (const Bytes plane : planes) tensor.bytes += std::ssize(plane);
  tensor.rows = grid_rows(std::move(planes), std::move(grid), rows, cols);
  if (tensor.rows == nullptr) throw Error(place, "bytes don't fit the matrix");
  return tensor;
}

// Shapes that all forms have in common: of a matrix, or of one for each expert.
void check_parts(const Parts& parts, const std::string& place) {
  const auto& [codes, scales, biases] = parts;
  const std::size_t dims = codes->shape.size();
  if (codes->type != info(DType::u32).name || (dims != 2 && dims != 3) ||
      scales->shape.size() != codes->shape.size() ||
      !std::equal(codes->shape.begin(), codes->shape.end() - 1, scales->shape.begin())) {
    throw Error(place, "no quantized matrix of MLX",
                "u32 codes and a row of scales for each of theirs");
  }
}

}  // namespace

void join_mlx(Checkpoint& checkpoint) {
  constexpr std::string_view kWeight = ".weight";
  if (!checkpoint.config().is_object() || !checkpoint.config().contains(kKey)) return;
  const std::string file = (checkpoint.folder / "config.json").string();
  const std::string config = file + ": \"" + kKey + "\"";
  const Json how = checkpoint.config()[kKey];
  const mlx::Form common = read_form(how, config);
  check_agreement(checkpoint.config(), file);
  std::vector<Tensor> tensors;
  std::vector<bool> used(checkpoint.tensors.size(), false);
  for (const Tensor& tensor : checkpoint.tensors) {
    if (!tensor.name.ends_with(kWeight)) continue;
    const std::string path = tensor.name.substr(0, tensor.name.size() - kWeight.size());
    const Parts parts{&tensor, checkpoint.find(path + ".scales"),
                      checkpoint.find(path + ".biases")};
    if (parts.scales == nullptr) continue;
    const std::string place = checkpoint.path.string() + ": tensor \"" + tensor.name + "\"";
    check_parts(parts, place);
    const Json own = how.value(path, Json());
    if (own == false) {
      throw Error(config + ": \"" + path + "\"", "not quantized, but the tensor has scales",
                  "group_size and bits", "false");
    }
    tensors.push_back(joined(parts,
                             own.is_object() ? read_form(own, config + ": \"" + path + "\"")
                                             : form_of(parts, common, place),
                             place));
    for (const Tensor* part : {parts.codes, parts.scales, parts.biases}) {
      if (part != nullptr) used[static_cast<std::size_t>(part - checkpoint.tensors.data())] = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) tensors.push_back(std::move(checkpoint.tensors[i]));
  }
  checkpoint.replace(std::move(tensors));
  checkpoint.world = World::mlx;
  checkpoint.config().erase(kKey);
  checkpoint.config().erase("quantization_config");
}

}  // namespace zp
