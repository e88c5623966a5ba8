#include "container/quantized_folder.h"

#include <algorithm>

#include "base/error.h"
#include "container/hf_tensors.h"

namespace zp {
namespace {

constexpr std::string_view kEnd = ".weight";

std::string path_of(const TensorUse& use) {
  return use.hf.substr(0, use.hf.size() - (use.hf.ends_with(kEnd) ? kEnd.size() : 0));
}

bool is_looked_up(const TensorUse& use) {
  const Role role = use.place.role;
  return role == Role::embedding || role == Role::position || role == Role::layer_embedding;
}

bool is_linear(const TensorUse& use) { return use.is_matrix() && !is_looked_up(use); }

bool changes(const PlaneForm& form) {
  return form.along != WordsAlong::row || form.transposed || form.add != 0;
}

// Whether gate and up of an MLP that is no expert's stand in one tensor.
bool has_pair(const Architecture& architecture) {
  return std::ranges::any_of(architecture.stacked,
                             [](const StackedRow& row) { return row.one_mlp; });
}

// A tied head has no weight, but is a module.
std::string head_path(const Model& model) {
  Decoder untied = model.decoder;
  untied.tied = false;
  for (const TensorUse& use : tensor_uses(*model.architecture, untied)) {
    if (use.place.role == Role::head && use.part == Part::weight) return path_of(use);
  }
  return {};
}

std::vector<FolderModule> modules_of(const Model& model, std::span<const Assignment> assignments) {
  std::vector<FolderModule> modules;
  for (const Assignment& a : assignments) {
    const TensorUse& use = a.weight->use;
    if (!is_linear(use) || stacked_row(*model.architecture, use) != nullptr) continue;
    const bool coded = a.grid->family() != Family::floating;
    modules.push_back({path_of(use), &use, coded ? a.grid.get() : nullptr});
  }
  if (model.decoder.tied) modules.push_back({head_path(model)});
  return modules;
}

}  // namespace

std::vector<GridModules> by_grid(std::span<const FolderModule> modules) {
  std::vector<GridModules> all;
  for (const FolderModule& m : modules) {
    if (m.grid == nullptr) continue;
    auto of_grid = std::ranges::find_if(
        all, [&](const GridModules& g) { return g.grid->spec() == m.grid->spec(); });
    if (of_grid == all.end()) of_grid = all.insert(all.end(), {m.grid, {}, 0});
    of_grid->paths.push_back(m.path);
    of_grid->parameters += m.use->rows * m.use->cols;
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &GridModules::parameters);
  return all;
}

std::vector<std::string> left_floating(std::span<const FolderModule> modules) {
  std::vector<std::string> paths;
  for (const FolderModule& m : modules) {
    if (m.grid == nullptr) paths.push_back(m.path);
  }
  return paths;
}

std::vector<Rule> QuantizedFolder::rules(std::string_view grid, const ContainerInput& input) const {
  const FloatType& of_model = float_type_of(input.model);
  const std::unique_ptr<Grid> asked = make_grid(grid, affine_defaults(of_model.grid));
  if (!holds(*asked)) return {{"", asked->spec(), "what was asked for"}};
  const FloatType* said = type_in(*asked);
  const std::string type((said != nullptr ? *said : of_model).grid);
  std::vector<Rule> rules = {{"*_norm,*.bias", type, "norms and biases stay in the model's type"},
                             {"embedding,layer_embedding,position,head", type,
                              "what is looked up, and the head, stay in the model's type"}};
  std::vector<std::string_view> small;
  for (const Weight& weight : input.model.weights) {
    const Role role = weight.use.place.role;
    const bool stays = !is_norm(role) && (!is_matrix(role) || stays_float(role));
    if (stays && std::ranges::find(small, role_name(role)) == small.end())
      small.push_back(role_name(role));
  }
  std::string names;
  for (const std::string_view name : small) names += (names.empty() ? "" : ",") + std::string(name);
  if (!names.empty()) rules.push_back({names, type, "small tensors stay in the model's type"});
  if (input.model.architecture->only_stacked && input.model.decoder.experts.count > 0)
    rules.push_back({"*.experts.*", type, "experts in one tensor are no modules"});
  if (input.model.architecture->only_stacked && has_pair(*input.model.architecture))
    rules.push_back({"gate,up", type, "gate and up in one tensor are no modules"});
  rules.push_back({"", asked->spec(), "what was asked for"});
  return rules;
}

Verdict QuantizedFolder::accepts(const Grid& grid, const TensorUse& use) const {
  if (float_type_of_grid(grid.spec()) != nullptr) return {true, {}};
  if (!holds(grid)) return {false, std::string(held())};
  if (!is_linear(use) || stays_float(use.place.role))
    return {false, "only linear layers are quantized there"};
  if (use.transposed) return {false, "GPT-2's Conv1D is no linear layer of that layout"};
  std::string why = why_not(grid, use);
  if (!why.empty()) return {false, std::move(why)};
  const CodedModule module = coded(grid, use, {}, *float_type_of_grid("bf16"));
  const bool repacked = std::ranges::any_of(
      module.planes, [](const FolderTensor::Plane& plane) { return changes(plane.form); });
  return {true, {}, repacked ? Fidelity::repacked : Fidelity::exact};
}

std::string QuantizedFolder::fallback(const Grid& grid, const Weight& weight) const {
  if (!holds(grid) || weight.use.transposed) return {};
  const FloatType* said = type_in(grid);
  return std::string((said != nullptr ? *said : float_type_for(weight.stored_type)).grid);
}

Layout QuantizedFolder::layout(const ContainerInput& input,
                               std::span<const Assignment> assignments) const {
  const Beside none;
  HfTensors tensors(*input.model.architecture, assignments, none);
  FloatVote types;
  for (const Assignment& a : assignments) {
    const FloatType* said = type_in(*a.grid);
    if (said != nullptr) types.add(*said, a.weight->use);
  }
  for (const Assignment& a : assignments) {
    const TensorUse& use = a.weight->use;
    if (float_type_of_grid(a.grid->spec()) != nullptr) {
      tensors.add(a);
      continue;
    }
    CodedModule module = coded(*a.grid, use, path_of(use), types.winner());
    tensors.add_module(a, std::move(module.planes), std::move(module.made));
  }
  const std::vector<FolderModule> modules = modules_of(input.model, assignments);
  Layout layout = tensors.layout(shard_bytes(input));
  Json config = folder_config(input, types.winner());
  if (!by_grid(modules).empty()) config["quantization_config"] = statement(modules, types.winner());
  add_json(layout, "config.json", config);
  add_companions(layout, input);
  layout.notes = notes(modules);
  add_transformers_notes(layout, input);
  return layout;
}

}  // namespace zp
