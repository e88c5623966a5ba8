#include "format/peft.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/json_file.h"
#include "base/mapped_file.h"
#include "format/safetensors.h"
#include "tensor/rows.h"

namespace zp::peft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = "base_model.model.";
constexpr std::string_view kFirst = ".lora_A.weight";
constexpr std::string_view kSecond = ".lora_B.weight";

// What changes more than the two matrices say. Empty or false, it changes nothing.
constexpr const char* kMore[] = {"use_dora",
                                 "lora_bias",
                                 "modules_to_save",
                                 "rank_pattern",
                                 "alpha_pattern",
                                 "target_parameters",
                                 "megatron_config",
                                 "layer_replication",
                                 "trainable_token_indices",
                                 "alora_invocation_tokens",
                                 "use_qalora",
                                 "arrow_config",
                                 "use_bdlora"};
// Ways to begin that leave the model's own matrices as they are; others train beside changed ones.
constexpr std::string_view kBeginnings[] = {"gaussian", "eva", "orthogonal"};

void refuse_more(const Json& config, const std::string& where) {
  for (const char* name : kMore) {
    const Json* value = config.find(name);
    const bool nothing = value == nullptr || value->empty() || *value == Json(false);
    if (!nothing)
      throw Error(where + ": \"" + name + "\"", "more than two matrices a module, which isn't read",
                  "none", value->dump_ascii());
  }
  const Json* begun = config.find("init_lora_weights");
  if (begun != nullptr && begun->is_string() &&
      std::ranges::find(kBeginnings, begun->get<std::string>()) == std::end(kBeginnings))
    throw Error(where + ": \"init_lora_weights\"",
                "an adapter beside matrices that are not the model's own",
                "true, false, gaussian, eva or orthogonal", begun->get<std::string>());
  const std::string bias = JsonFields(config, where).text("bias", "none");
  if (bias != "none") throw Error(where + ": \"bias\"", "biases are not read", "none", bias);
}

Adapter parse_config(const Json& config, const std::string& where) {
  const JsonFields fields(config, where);
  const std::string kind = fields.text("peft_type");
  if (kind != "LORA")
    throw Error(fields.where() + ": \"peft_type\"", "another kind of adapter", "LORA", kind);
  refuse_more(config, fields.where());
  Adapter adapter;
  adapter.base = fields.text("base_model_name_or_path", "");
  adapter.rank = fields.integer("r");
  if (adapter.rank < 1 || adapter.rank > kMostRank)
    throw Error(fields.where() + ": \"r\"", "no rank of an adapter",
                "1 to " + std::to_string(kMostRank), std::to_string(adapter.rank));
  adapter.alpha = fields.real("lora_alpha");
  adapter.rank_stabilized = fields.boolean("use_rslora", false);
  adapter.transposed = fields.boolean("fan_in_fan_out", false);
  return adapter;
}

// Of the tensor: its module, and which of the two it is.
struct Name {
  std::string module;
  bool is_first;
};

Name parse_name(std::string_view name, const std::string& where) {
  const bool first = name.ends_with(kFirst);
  const std::string_view end = first ? kFirst : kSecond;
  if (!name.starts_with(kBegin) || !name.ends_with(end) ||
      name.size() <= kBegin.size() + end.size())
    throw Error(
        where, "no tensor of an adapter that is read",
        std::string(kBegin) + "MODULE" + std::string(kFirst) + " or " + std::string(kSecond),
        "\"" + std::string(name) + "\"");
  name.remove_prefix(kBegin.size());
  name.remove_suffix(end.size());
  return {std::string(name), first};
}

std::vector<float> values_of(const safetensors::TensorInfo& tensor, Bytes file) {
  const std::int64_t rows = tensor.shape[0];
  const std::int64_t cols = tensor.shape[1];
  std::vector<float> out(static_cast<std::size_t>(rows * cols));
  const Bytes stored =
      file.subspan(static_cast<std::size_t>(tensor.begin), static_cast<std::size_t>(tensor.bytes));
  stored_rows(stored, tensor.dtype, rows, cols)->read(0, rows, out.data());
  return out;
}

// Rank, A's rows and B's columns, must be what config.json says.
void parse_tensors(Bytes file, const std::string& where, Adapter& adapter) {
  std::map<std::string, Module> modules;
  for (const safetensors::TensorInfo& tensor : safetensors::read_header(file, where).tensors) {
    const Name name = parse_name(tensor.name, where);
    const std::size_t of_rank = name.is_first ? 0 : 1;
    if (tensor.shape.size() != 2 || tensor.shape[of_rank] != adapter.rank ||
        tensor.shape[1 - of_rank] < 1 || !info(tensor.dtype).floating)
      throw Error(where + ": tensor \"" + tensor.name + "\"",
                  "wrong shape or type of an adapter's matrix",
                  std::string(name.is_first ? "rows" : "columns") +
                      " of floats, as many as \"r\": " + std::to_string(adapter.rank));
    Module& module = modules[name.module];
    module.name = name.module;
    (name.is_first ? module.inputs : module.outputs) = tensor.shape[1 - of_rank];
    (name.is_first ? module.a : module.b) = values_of(tensor, file);
  }
  for (auto& [name, module] : modules) {
    if (module.a.empty() || module.b.empty())
      throw Error(where + ": module \"" + name + "\"", "one of its two matrices is missing");
    adapter.modules.push_back(std::move(module));
  }
  if (adapter.modules.empty()) throw Error(where, "an adapter of nothing");
}

Json config_json(const Adapter& adapter) {
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", adapter.base},
          {"revision", nullptr},
          {"inference_mode", true},
          {"r", adapter.rank},
          {"lora_alpha", adapter.alpha},
          {"lora_dropout", 0.0},
          {"use_rslora", adapter.rank_stabilized},
          {"target_modules", adapter.targets},
          {"fan_in_fan_out", adapter.transposed},
          {"bias", "none"},
          {"modules_to_save", nullptr},
          {"init_lora_weights", true}};
}

void write_file(const fs::path& path, std::span<const Bytes> parts) {
  std::int64_t bytes = 0;
  for (const Bytes part : parts) bytes += std::ssize(part);
  AtomicFile file(path, bytes, false);
  std::int64_t at = 0;
  for (const Bytes part : parts) {
    file.write_at(at, part);
    at += std::ssize(part);
  }
  file.commit();
}

}  // namespace

float Adapter::scale() const {
  const auto r = static_cast<double>(rank);
  return static_cast<float>(alpha / (rank_stabilized ? std::sqrt(r) : r));
}

Adapter read(const fs::path& folder) {
  for (const char* name : {kConfigFile, kTensorsFile}) {
    if (!fs::is_regular_file(folder / name))
      throw Error(folder.string(), "no adapter of PEFT's layout",
                  std::string(kConfigFile) + " and " + kTensorsFile, "no " + std::string(name));
  }
  const MappedFile tensors(folder / kTensorsFile);
  return parse(read_json(folder / kConfigFile), tensors.bytes(), folder.string());
}

Adapter parse(const Json& config, Bytes tensors, const std::string& where) {
  const fs::path folder(where);
  Adapter adapter = parse_config(config, (folder / kConfigFile).string());
  parse_tensors(tensors, (folder / kTensorsFile).string(), adapter);
  return adapter;
}

void write(const Adapter& adapter, const fs::path& folder, bool replace) {
  safetensors::Header header;
  header.metadata["format"] = "pt";
  std::vector<Bytes> parts(1);
  for (const Module& module : adapter.modules) {
    const std::string name = std::string(kBegin) + module.name;
    header.tensors.push_back(
        {name + std::string(kFirst), DType::f32, {adapter.rank, module.inputs}});
    header.tensors.push_back(
        {name + std::string(kSecond), DType::f32, {module.outputs, adapter.rank}});
    parts.push_back(std::as_bytes(std::span(module.a)));
    parts.push_back(std::as_bytes(std::span(module.b)));
  }
  const std::vector<std::byte> begin = safetensors::write_header(header);
  parts.front() = begin;
  const std::string config = config_json(adapter).dump(2) + "\n";
  const std::vector<Bytes> of_config = {std::as_bytes(std::span(config))};
  AtomicFolder out(folder, replace);
  write_file(out.partial() / kConfigFile, of_config);
  write_file(out.partial() / kTensorsFile, parts);
  out.commit();
}

}  // namespace zp::peft
