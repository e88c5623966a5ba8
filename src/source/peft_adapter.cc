#include "source/peft_adapter.h"

#include <fmt/core.h>

#include <map>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/human.h"
#include "base/json_fields.h"
#include "base/json_file.h"
#include "base/mapped_file.h"
#include "format/peft.h"
#include "source/gguf_adapter.h"
#include "tensor/dtype_name.h"
#include "tensor/merged_rows.h"

namespace zp {
namespace {

constexpr std::string_view kWeight = ".weight";

std::string shape_text(std::int64_t inputs, std::int64_t outputs) {
  return fmt::format("{} inputs and {} outputs", inputs, outputs);
}

void merge(Model& model, Weight& weight, peft::Module module, const peft::Adapter& adapter) {
  // The model owns what it reads, the merged rows borrow it.
  const std::shared_ptr<const RowReader> w(std::shared_ptr<void>(), weight.rows);
  model.derived.push_back(merged_rows(
      w, constant_rows(std::move(module.a), adapter.rank, module.inputs),
      constant_rows(std::move(module.b), module.outputs, adapter.rank), adapter.scale()));
  weight.rows = model.derived.back().get();
  // Of a grid that finds its values again these are not.
  if (dtype_of_name(weight.stored_type) == nullptr) weight.stored_type = "bf16";
}

peft::Adapter read_gguf(const std::filesystem::path& path, const Model& model) {
  const MappedFile file(path);
  return adapter_from_gguf(gguf::read_lora(file.bytes(), path.string()), model, path.string());
}

}  // namespace

std::optional<std::filesystem::path> base_of_adapter(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "config.json") ||
      !std::filesystem::is_regular_file(folder / peft::kConfigFile) ||
      !std::filesystem::is_regular_file(folder / peft::kTensorsFile))
    return std::nullopt;
  const Json config = read_json(folder / peft::kConfigFile);
  const JsonFields fields(config, (folder / peft::kConfigFile).string());
  const std::filesystem::path base = fields.text("base_model_name_or_path", "");
  for (const std::filesystem::path& path : {base, folder / base}) {
    if (!base.empty() && std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

std::string peft_name(const TensorUse& use) {
  return use.hf.ends_with(kWeight) ? use.hf.substr(0, use.hf.size() - kWeight.size()) : use.hf;
}

void check_adaptable(const Architecture& architecture, const std::string& where) {
  if (architecture.multiplied.empty()) return;
  throw Error(where,
              "adapters of " + std::string(architecture.name) +
                  " are not read or made: config.json multiplies what its matrices give",
              "another architecture");
}

void add_adapter(Model& model, const std::filesystem::path& path) {
  const std::string where = path.string();
  check_adaptable(*model.architecture, where);
  peft::Adapter adapter =
      std::filesystem::is_regular_file(path) ? read_gguf(path, model) : peft::read(path);
  std::map<std::string, Weight*> matrices;
  for (Weight& weight : model.weights) {
    if (weight.use.is_matrix()) matrices.emplace(peft_name(weight.use), &weight);
  }
  for (peft::Module& module : adapter.modules) {
    const auto found = matrices.find(module.name);
    const std::string at = where + ": module \"" + module.name + "\"";
    const std::string base = adapter.base.empty() ? "" : "\"" + adapter.base + "\"";
    if (found == matrices.end())
      throw Error(at, "the model has no such matrix, so the adapter is another's",
                  base.empty() ? "the model it was made for" : base);
    const TensorUse& use = found->second->use;
    if (module.inputs != use.cols || module.outputs != use.rows)
      throw Error(at, "the model's matrix has another shape, so the adapter is another's",
                  shape_text(use.cols, use.rows), shape_text(module.inputs, module.outputs));
    merge(model, *found->second, std::move(module), adapter);
  }
  model.notes.push_back(fmt::format("adapter {} merged: {} of rank {}, times {:g}", where,
                                    human_counted(std::ssize(adapter.modules), "tensor"),
                                    adapter.rank, adapter.scale()));
}

}  // namespace zp
