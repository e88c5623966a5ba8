// MLX folders, for mlx-lm on Apple machines (and on Linux CPUs).
//
// Every matrix X.weight, the embedding too, becomes the two or three tensors of format/mlx.h:
// codes, scales, and biases in mode affine, these two in the model's type, as are norms and the
// layers' own biases.
//
// config.json is the source's and "quantization": group size, bits and mode of most weights, then
// module paths with others (an object) or none (false).
//
// Of a model of several parts that mlx-lm has a module for the others are copied, for mlx-vlm, which
// reads them as Hugging Face folders have them; mlx-lm leaves them aside.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "container/checkpoint_folder.h"
#include "container/mlx_config.h"
#include "model/gguf_rows.h"

namespace zp {
namespace {

constexpr std::array<std::string_view, 12> kBudgetGrids = {
    "int2:g128", "int2:g64", "int3:g64", "int3:g32", "mxfp4",    "int4:g64",
    "nvfp4",     "int4:g32", "int5:g64", "int6:g64", "int8:g64", "mxfp8"};
constexpr std::string_view kHeld =
    "mlx holds fp32, fp16, bf16, int2...int6, int8 in groups of 32, 64 or 128 with a minimum "
    "(\"min\") of the scale's type s32, s16 or sbf16, and mxfp4, mxfp8, nvfp4";

/// How MLX stores the codes of a grid; nullopt for floats and for what it can't hold.
std::optional<mlx::Form> mlx_form(const Grid& grid) {
  const AffineForm* f = grid.affine();
  if (f == nullptr) return mlx::form_of_grid(grid.spec());
  const mlx::Form form{mlx::find_mode("affine"), f->group, f->bits};
  const bool held = f->offset == Offset::min && f->grouping == Grouping::group &&
                    float_type_of_scale(f->scale) != nullptr && mlx::is_known(form);
  return held ? std::optional(form) : std::nullopt;
}

/// What a folder holds beside the text, and how it names that.
struct Parts {
  std::string_view prefix;  ///< of the text's modules
  Beside others;
  std::map<std::string, std::string> names = {};  ///< the others', by the checkpoint's
};

std::string module_name(const TensorUse& use, const Parts& parts) {
  return std::string(parts.prefix) + use.module;
}

std::string module_path(const TensorUse& use, const Parts& parts) {
  const std::string name = module_name(use, parts);
  return name.substr(0, name.rfind('.'));
}

// Modules know what published checkpoints say; what transformers 5 saves differs.
std::string name_of_other(std::string name) {
  constexpr std::string_view kWhole = "model.";
  constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
      {"visual.", "vision_tower."},
      {"vision_tower.embeddings.", "vision_tower.vision_model.embeddings."},
      {"vision_tower.encoder.", "vision_tower.vision_model.encoder."},
      {"vision_tower.post_layernorm.", "vision_tower.vision_model.post_layernorm."}};
  if (name.starts_with(kWhole)) name.erase(0, kWhole.size());
  for (const auto& [from, to] : kRenamed) {
    if (name.starts_with(from)) return name.replace(0, from.size(), to);
  }
  return name;
}

/// None where no module of mlx-lm's takes the text as one of these parts. Layers that predict further
/// tokens aren't among them: where these are, it takes norms to be as Hugging Face has them.
Parts parts_of(const ContainerInput& input) {
  const MlxFacts& facts = input.model.architecture->mlx;
  Parts parts;
  if (facts.only_whole) parts.prefix = kInWhole;
  if (input.beside == nullptr || input.beside->config == nullptr) return parts;
  const Json type = input.beside->config->value("model_type", Json());
  if (std::ranges::find(facts.wholes, type) == facts.wholes.end()) return parts;
  for (const BesideTensor& other : input.beside->tensors) {
    if (other.further) continue;
    parts.others.tensors.push_back(other);
    parts.names[other.tensor->name] = name_of_other(other.tensor->name);
  }
  if (parts.others.tensors.empty()) return parts;
  parts.prefix = kInWhole;
  parts.others.config = input.beside->config;
  return parts;
}

/// What config.json says of all parts.
Json config_of_whole(const ContainerInput& input, const Parts& parts, const FloatType& type) {
  if (parts.others.config == nullptr)
    return {{"model_type", std::string(input.model.architecture->mlx.wholes.front())}};
  Json whole = whole_config(input, type);
  // Gemma 3's module takes another default over what the text's part says.
  whole["vocab_size"] = input.model.decoder.vocabulary;
  return whole;
}

AffineForm defaults_for(const FloatType& type) {
  AffineForm form;
  form.group = 64;
  form.offset = Offset::min;
  form.scale = type.scale;
  return form;
}

FolderTensor folder_tensor(const Assignment& a, const Parts& parts) {
  FolderTensor t{a.weight, a.weight->rows, a.grid, {}, World::mlx};
  t.stacked = a.weight->use.is_stacked(World::mlx);
  const std::optional<mlx::Form> form = mlx_form(*a.grid);
  if (!form) {
    t.planes = {{module_name(a.weight->use, parts), float_type_in(*a.grid)->dtype}};
    return t;
  }
  const std::string path = module_path(a.weight->use, parts);
  t.planes = {{path + ".weight", DType::u32}};
  if (form->mode->scales) {
    t.planes.push_back({path + ".scales", *form->mode->scales});
  } else {
    for (const char* plane : {".scales", ".biases"})
      t.planes.push_back({path + plane, float_type_in(*a.grid)->dtype});
  }
  return t;
}

class Mlx final : public Container {
 public:
  std::string_view name() const override { return "mlx"; }
  std::string_view summary() const override {
    return "folder for mlx-lm (Apple MLX), affine, micro-scaled or floating point";
  }
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return true; }
  bool splits() const override { return true; }
  std::string_view default_grid() const override { return "int4:g64"; }
  std::span<const std::string_view> budget_grids() const override { return kBudgetGrids; }
  AffineForm affine_defaults(std::string_view stored_type) const override {
    return defaults_for(float_type_for(stored_type));
  }

  std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const override {
    // Spelled in full, so that a checkpoint of mixed types becomes a model of one type.
    const FloatType& of_model = float_type_of(input.model);
    const std::unique_ptr<Grid> asked = make_grid(grid, defaults_for(of_model));
    std::vector<Rule> rules;
    if (mlx_form(*asked)) {
      const FloatType* said = float_type_in(*asked);
      if (input.model.decoder.experts.routing == Routing::sigmoid)
        rules.push_back({"router_correction.bias", "fp32", "mlx-lm never casts it"});
      const std::string type((said != nullptr ? *said : of_model).grid);
      rules.push_back(
          {"*_norm,*.bias,router", type, "norms, biases and routers stay in the model's type"});
      if (input.model.architecture->mlx.parts_latent)
        rules.push_back({"kv_b", type, "mlx-lm takes it apart by head and turns the keys' part"});
      if (input.model.has(Role::sinks))
        rules.push_back({"sinks", type, "attention's sinks stay in the model's type"});
      if (input.model.has(Role::convolution))
        rules.push_back({"convolution", type, "convolutions stay in the model's type"});
      if (input.model.has(Role::layer_scale))
        rules.push_back({"layer_scale,expert_scale", type, "factors stay in the model's type"});
      if (input.model.has(Role::layer_projection))
        rules.push_back({"layer_projection", type,
                         "what layers have of the embedding stays in the model's type"});
      if (input.model.has(Role::shared_gate))
        rules.push_back({"shared_gate", type, "gates of shared experts stay in the model's type"});
      if (input.model.has(Role::space_rate))
        rules.push_back({"space_rate,space_skip", type,
                         "a state space's rates and shares stay in the model's type"});
      if (input.model.has(Role::delta_rate)) {
        rules.push_back({"delta_rate", "fp32", "mlx-lm never casts it"});
        rules.push_back({"delta_beta,delta_decay,delta_beta_decay", type,
                         "small projections of linear attention stay in the model's type"});
      }
    }
    rules.push_back({"", asked->spec(), "what was asked for"});
    return rules;
  }

  Verdict accepts(const Grid& grid, const TensorUse& use) const override {
    if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
    const std::optional<mlx::Form> form = mlx_form(grid);
    if (!form) return {false, std::string(kHeld)};
    if (!use.is_matrix()) return {false, "norms, biases and convolutions stay in floating point"};
    const std::string why = why_no_multiple(use.cols, form->group);
    return {why.empty(), why};
  }

  /// mlx-lm leaves what it can't quantize in the model's type.
  std::string fallback(const Grid& grid, const Weight& weight) const override {
    if (!mlx_form(grid)) return {};
    const FloatType* said = float_type_in(grid);
    return std::string((said != nullptr ? *said : float_type_for(weight.stored_type)).grid);
  }

  Layout layout(const ContainerInput& input,
                std::span<const Assignment> assignments) const override {
    const MlxFacts& facts = input.model.architecture->mlx;
    Parts parts = parts_of(input);
    parts.others.names = &parts.names;
    std::vector<FolderTensor> tensors;
    std::vector<std::unique_ptr<RowReader>> derived;
    std::vector<MlxModule> modules;
    FloatVote types;
    for (const Assignment& a : assignments) {
      if (a.weight->use.place.expert > 0 &&
          assignments[tensors.size() - 1].grid->spec() != a.grid->spec())
        throw Error("mlx, tensor \"" + a.weight->use.module + "\"",
                    "experts of one tensor on different grids");
      tensors.push_back(folder_tensor(a, parts));
      if (std::unique_ptr<RowReader> sums =
              facts.sums_norms ? norm_and_one(*a.weight, input.model.decoder) : nullptr) {
        tensors.back().rows = sums.get();
        derived.push_back(std::move(sums));
      }
      if (const FloatType* said = float_type_in(*a.grid)) types.add(*said, a.weight->use);
      // Experts are one module.
      if (a.weight->use.is_matrix() && a.weight->use.place.expert <= 0) {
        const std::int64_t matrices = std::max(a.weight->use.experts, std::int64_t{1});
        modules.push_back({module_path(a.weight->use, parts), mlx_form(*a.grid),
                           matrices * a.weight->use.rows * a.weight->use.cols});
      }
    }
    std::vector<std::string> notes = mlx_notes(input.model);
    Json config = folder_config(input, types.winner());
    spell_for_module(config, input.model);
    Layout layout = folder_layout(tensors, {{"format", "mlx"}}, shard_bytes(input), parts.others);
    layout.derived = std::move(derived);
    layout.notes = std::move(notes);
    config = mlx_config(std::move(config), input.model.decoder, modules);
    if (!parts.prefix.empty()) {
      const Json type = input.config.value("model_type", Json());
      config["model_type"] =
          type.is_string() ? type : Json(input.model.architecture->model_types.front());
      config = in_whole(std::move(config), config_of_whole(input, parts, types.winner()));
    }
    add_json(layout, "config.json", config);
    add_companions(layout, input);
    if (parts.others.config != nullptr) add_companions_of_whole(layout, input);
    add_transformers_notes(layout, input);
    return layout;
  }
};

constinit const Mlx instance;

}  // namespace

extern const Container& container_mlx;
const Container& container_mlx = instance;

}  // namespace zp
