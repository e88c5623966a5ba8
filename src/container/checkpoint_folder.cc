#include "container/checkpoint_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"
#include "container/transformers_tokenizer.h"
#include "format/safetensors.h"
#include "model/config_writer.h"
#include "tensor/dtype_name.h"
#include "text/generation.h"
#include "text/tokenizer_files.h"

namespace zp {
namespace {

constexpr const char* kGenerationConfig = "generation_config.json";
constexpr const char* kTokenizerFile = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr std::array<std::string_view, 9> kCompanions = {
    kGenerationConfig,     kTokenizerFile, kTokenizerConfig, "special_tokens_map.json",
    "added_tokens.json",   "vocab.json",   "merges.txt",     "tokenizer.model",
    "chat_template.jinja",
};

// Beginnings of the names of files that must go with a model, in lower case.
constexpr std::array<std::string_view, 5> kLicences = {"license", "licence", "notice", "copying",
                                                       "use_policy"};

// Of a model that sees or hears, beside them.
constexpr std::array<std::string_view, 4> kWholeCompanions = {
    "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
    "chat_template.json"};
constexpr std::string_view kCode = ".py";  // that config.json names

// What a source's config.json says of its own storage and place ...
constexpr std::array<const char*, 3> kDropped = {"quantization", "quantization_config",
                                                 "_name_or_path"};
constexpr const char* kCodeField = "auto_map";  // ... and of its code

PlaneForm form_of(const FolderTensor::Plane& plane) {
  PlaneForm form = plane.form;
  form.word = 8 * info(plane.dtype).bytes;
  return form;
}

bool joins(const FolderTensor& t, const FolderTensor& before) {
  return t.stacked && t.planes[0].name == before.planes[0].name;
}

safetensors::TensorInfo plane_info(const FolderTensor& t, std::size_t plane) {
  const FolderTensor::Plane& p = t.planes[plane];
  const auto [outer, inner] = word_shape(form_of(p), plane_shape(*t.grid, *t.rows, plane));
  safetensors::TensorInfo tensor;
  tensor.name = p.name;
  tensor.dtype = p.dtype;
  if (!p.shape.empty()) {
    tensor.shape = p.shape;
    return tensor;
  }
  if (t.weight->use.is_convolution()) {
    tensor.shape = t.weight->use.shape(t.world);
    return tensor;
  }
  if (t.stacked) tensor.shape.push_back(t.weight->use.experts);
  if (t.weight->use.is_matrix()) tensor.shape.push_back(outer);
  tensor.shape.push_back(inner);
  return tensor;
}

std::int64_t stored_bytes(const FolderTensor& t) {
  std::int64_t sum = 0;
  for (std::size_t p = 0; p < t.planes.size(); ++p) {
    const std::int64_t bytes = file_bytes(form_of(t.planes[p]), plane_shape(*t.grid, *t.rows, p));
    sum = checked_add(sum, bytes, t.planes[p].name);
  }
  for (const MadeTensor& made : t.made) sum += std::ssize(made.bytes);
  return sum;
}

std::int64_t stored_bytes(const BesideTensor& t) { return t.tensor->bytes; }

/// Where each shard begins, and the end. joins: whether one must stand where the one before does.
template <class Tensors, class Joins>
std::vector<std::size_t> cut(const Tensors& tensors, std::int64_t limit, const Joins& joins) {
  std::vector<std::size_t> begins;
  std::int64_t filled = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::int64_t bytes = stored_bytes(tensors[i]);
    const bool may_cut = i > 0 && !joins(tensors[i], tensors[i - 1]);
    if (i == 0 || (may_cut && filled > 0 && filled + bytes > limit)) {
      begins.push_back(i);
      filled = 0;
    }
    filled += bytes;
  }
  begins.push_back(tensors.size());
  return begins;
}

std::string five_digits(std::size_t n) {
  const std::string digits = std::to_string(n);
  return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
}

std::string shard_name(std::size_t shard, std::size_t count) {
  if (count == 1) return "model.safetensors";
  return "model-" + shard_number(shard, count) + ".safetensors";
}

/// Appends one shard's file and jobs.
void add_shard(Layout& layout, std::span<const FolderTensor> tensors, std::string name,
               const std::map<std::string, std::string>& metadata) {
  struct Place {
    std::size_t job;
    std::size_t plane;  // behind the planes stands what is made
  };
  const std::size_t file = layout.files.size();
  safetensors::Header header;
  header.metadata = metadata;
  std::vector<Place> places;
  for (const FolderTensor& t : tensors) {
    TensorJob job{t.planes[0].name, t.weight, t.rows, t.grid, {}};
    for (std::size_t p = 0; p < t.planes.size(); ++p) {
      places.push_back({layout.jobs.size(), p});
      job.planes.push_back({file, 0, form_of(t.planes[p])});
    }
    for (std::size_t m = 0; m < t.made.size(); ++m)
      places.push_back({layout.jobs.size(), t.planes.size() + m});
    layout.jobs.push_back(std::move(job));
  }
  const std::size_t first_job = layout.jobs.size() - tensors.size();
  const auto tensor_at = [&](const Place& at) -> const FolderTensor& {
    return tensors[at.job - first_job];
  };
  const auto made_at = [&](const Place& at) -> const MadeTensor* {
    const FolderTensor& t = tensor_at(at);
    return at.plane < t.planes.size() ? nullptr : &t.made[at.plane - t.planes.size()];
  };
  const auto dtype_at = [&](const Place& at) {
    const MadeTensor* made = made_at(at);
    return made != nullptr ? made->dtype : tensor_at(at).planes[at.plane].dtype;
  };
  const auto info_of = [&](const Place& at) -> safetensors::TensorInfo {
    const MadeTensor* made = made_at(at);
    return made != nullptr ? safetensors::TensorInfo{made->name, made->dtype, made->shape}
                           : plane_info(tensor_at(at), at.plane);
  };
  const auto is_first = [&](const Place& at) {
    const std::size_t i = at.job - first_job;
    return i == 0 || !joins(tensors[i], tensors[i - 1]);
  };
  std::unordered_map<std::string, std::size_t> by_name;  // of tensors that experts share
  std::stable_sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    return info(dtype_at(a)).bytes > info(dtype_at(b)).bytes;
  });
  std::vector<std::size_t> tensor_of;  // each place's
  for (const Place& at : places) {
    safetensors::TensorInfo tensor = info_of(at);
    if (!is_first(at)) {
      tensor_of.push_back(by_name.at(tensor.name));
      continue;
    }
    tensor_of.push_back(header.tensors.size());
    by_name.emplace(tensor.name, header.tensors.size());
    header.tensors.push_back(std::move(tensor));
  }
  OutputFile shard;
  shard.name = std::move(name);
  shard.fixed.emplace_back(0, safetensors::write_header(header));
  shard.bytes = header.data_begin;
  for (const safetensors::TensorInfo& tensor : header.tensors)
    shard.bytes = std::max(shard.bytes, tensor.begin + tensor.bytes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const FolderTensor& t = tensor_at(places[i]);
    const safetensors::TensorInfo& tensor = header.tensors[tensor_of[i]];
    if (const MadeTensor* made = made_at(places[i])) {
      shard.fixed.emplace_back(tensor.begin, made->bytes);
      continue;
    }
    const std::int64_t before =
        t.stacked ? t.weight->use.place.expert * (tensor.bytes / t.weight->use.experts) : 0;
    layout.jobs[places[i].job].planes[places[i].plane].offset = tensor.begin + before;
  }
  layout.files.push_back(std::move(shard));
}

/// Appends a file of tensors as the checkpoint holds them.
void add_copies(Layout& layout, std::vector<BesideTensor> tensors, const Beside& beside,
                std::string name, const std::map<std::string, std::string>& metadata) {
  const auto type_of = [](const BesideTensor& t) { return *dtype_of_name(t.tensor->type); };
  std::stable_sort(tensors.begin(), tensors.end(), [&](const auto& a, const auto& b) {
    return type_of(a).bytes > type_of(b).bytes;
  });
  safetensors::Header header;
  header.metadata = metadata;
  for (const BesideTensor& t : tensors)
    header.tensors.push_back({beside.name(t.tensor->name), type_of(t).dtype, t.tensor->shape});
  OutputFile shard;
  shard.name = std::move(name);
  shard.fixed.emplace_back(0, safetensors::write_header(header));
  shard.bytes = header.data_begin;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    shard.copied.emplace_back(header.tensors[i].begin, tensors[i].tensor->stored);
    shard.bytes += header.tensors[i].bytes;
  }
  layout.files.push_back(std::move(shard));
}

/// The elements of shard s.
template <class T>
std::span<const T> part(const std::vector<T>& all, std::span<const std::size_t> begins,
                        std::size_t s) {
  return std::span(all).subspan(begins[s], begins[s + 1] - begins[s]);
}

}  // namespace

std::int64_t shard_bytes(const ContainerInput& input) {
  return input.split_bytes > 0 ? input.split_bytes : kShardBytes;
}

std::string shard_number(std::size_t shard, std::size_t count) {
  return five_digits(shard + 1) + "-of-" + five_digits(count);
}

Layout folder_layout(const std::vector<FolderTensor>& tensors,
                     const std::map<std::string, std::string>& metadata, std::int64_t shard_bytes,
                     const Beside& beside) {
  Layout layout;
  layout.folder = true;
  layout.beside = beside.tensors;
  const std::vector<std::size_t> begins = cut(tensors, shard_bytes, joins);
  const std::vector<std::size_t> copies =
      cut(beside.tensors, shard_bytes, [](const auto&, const auto&) { return false; });
  const std::size_t own = begins.size() - 1;
  const std::size_t shards = own + copies.size() - 1;
  Json files = Json::object();
  std::int64_t total = 0;
  for (std::size_t s = 0; s < own; ++s) {
    const std::string name = shard_name(s, shards);
    const auto of_shard = part(tensors, begins, s);
    add_shard(layout, of_shard, name, metadata);
    for (const FolderTensor& t : of_shard) {
      for (const FolderTensor::Plane& p : t.planes) files[p.name] = name;
      for (const MadeTensor& made : t.made) files[made.name] = name;
      total = checked_add(total, stored_bytes(t), name);
    }
  }
  for (std::size_t s = own; s < shards; ++s) {
    const std::string name = shard_name(s, shards);
    const auto of_shard = part(beside.tensors, copies, s - own);
    add_copies(layout, {of_shard.begin(), of_shard.end()}, beside, name, metadata);
    for (const BesideTensor& t : of_shard) {
      files[beside.name(t.tensor->name)] = name;
      total = checked_add(total, stored_bytes(t), name);
    }
  }
  if (shards > 1) {
    add_json(layout, "model.safetensors.index.json",
             {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(files)}});
  }
  return layout;
}

void add_json(Layout& layout, std::string name, const Json& json) {
  const std::string text = json.dump(2) + "\n";
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  OutputFile file;
  file.name = std::move(name);
  file.fixed.emplace_back(0, std::vector<std::byte>(begin, begin + text.size()));
  file.bytes = static_cast<std::int64_t>(text.size());
  layout.files.push_back(std::move(file));
}

bool has_file(const Layout& layout, std::string_view name) {
  return std::ranges::any_of(layout.files, [&](const OutputFile& f) { return f.name == name; });
}

namespace {

void add_tokenizer(Layout& layout, const Tokenizer& tokenizer) {
  const std::optional<Json> json = tokenizer_json(tokenizer);
  if (!json) {
    layout.notes.emplace_back(
        "no tokenizer.json: the source holds its tokenizer in another form, and of a kind that "
        "isn't written");
    return;
  }
  add_json(layout, kTokenizerFile, *json);
  if (!has_file(layout, kTokenizerConfig))
    add_json(layout, kTokenizerConfig, tokenizer_config_json(tokenizer));
}

}  // namespace

namespace {

void add_copy(Layout& layout, const std::filesystem::path& path) {
  std::error_code unreadable;
  OutputFile file;
  file.name = path.filename().string();
  file.copy_of = path;
  file.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, unreadable));
  if (unreadable) throw Error(path.string(), "can't be read", {}, unreadable.message());
  layout.files.push_back(std::move(file));
}

// Those of these names that are there.
void add_copies(Layout& layout, const std::filesystem::path& folder,
                std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const std::filesystem::path path = folder / name;
    std::error_code unreadable;
    if (std::filesystem::is_regular_file(path, unreadable)) add_copy(layout, path);
  }
}

// Files whose name, in lower case, is wanted, in the order of their names.
template <class Wanted>
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                            const Wanted& wanted) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (wanted(name) && entry.is_regular_file()) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// LICENSE, LICENSE.txt, NOTICE.md, ...
bool is_licence(std::string_view name) {
  return std::ranges::any_of(kLicences,
                             [&](std::string_view begin) { return name.starts_with(begin); });
}

}  // namespace

void add_companions(Layout& layout, const ContainerInput& input) {
  if (std::filesystem::is_directory(input.folder)) {
    add_copies(layout, input.folder, kCompanions);
    for (const std::filesystem::path& path : files_of(input.folder, is_licence))
      add_copy(layout, path);
  }
  if (input.tokenizer == nullptr) return;
  if (!has_file(layout, kTokenizerFile)) add_tokenizer(layout, *input.tokenizer);
  // A folder without this file has its ends in config.json; a source that is no folder has neither.
  if (!input.folder.empty()) return;
  Json generation = token_ids_json(*input.tokenizer, input.generation_config);
  for (const auto& [name, value] : input.generation_config.items()) {
    if (!generation.contains(name)) generation[name] = value;
  }
  add_json(layout, kGenerationConfig, generation);
}

void add_companions_of_whole(Layout& layout, const ContainerInput& input) {
  if (!std::filesystem::is_directory(input.folder)) return;
  add_copies(layout, input.folder, kWholeCompanions);
  if (!input.beside->config->contains(kCodeField)) return;
  const auto is_code = [](std::string_view name) { return name.ends_with(kCode); };
  for (const std::filesystem::path& path : files_of(input.folder, is_code)) add_copy(layout, path);
}

void add_transformers_notes(Layout& layout, const ContainerInput& input) {
  if (input.tokenizer == nullptr) return;
  const std::filesystem::path path = input.folder / kTokenizerConfig;
  std::error_code unreadable;
  const bool stands = !input.folder.empty() && std::filesystem::is_regular_file(path, unreadable);
  const Json config = stands ? read_json(path) : tokenizer_config_json(*input.tokenizer);
  const Json type = input.config.is_object() ? input.config.value("model_type", Json()) : Json();
  for (std::string& line : transformers_tokenizer_deviations(
           *input.tokenizer, config, type.is_string() ? type.get<std::string>() : ""))
    layout.notes.push_back(std::move(line));
}

namespace {

void settle(Json& config, const Decoder& decoder, const FloatType& type) {
  for (const char* key : kDropped) config.erase(key);
  // transformers 5 says "dtype", what came before "torch_dtype".
  if (config.contains("dtype")) config["dtype"] = type.torch;
  if (config.contains("torch_dtype") || !config.contains("dtype"))
    config["torch_dtype"] = type.torch;
  config["tie_word_embeddings"] = decoder.tied;
}

}  // namespace

Json folder_config(const ContainerInput& input, const FloatType& type, bool has_beside) {
  if (!input.config.is_object()) {
    throw Error(input.name, "the source has no config.json, which this container is made of",
                "a Hugging Face folder");
  }
  Json config = input.config;
  settle(config, input.model.decoder, type);
  config.erase(kCodeField);
  const Architecture& architecture = *input.model.architecture;
  if (!architecture.multiplied.empty()) {
    const Json all = write_config(architecture, input.model.decoder);
    for (const std::string_view name : architecture.multiplied) config[name] = all[name];
  }
  if (!has_beside && config.contains("num_nextn_predict_layers"))
    config["num_nextn_predict_layers"] = 0;
  // What is written has its head, though the source may have been saved without one.
  if (config.contains("architectures")) {
    for (Json& name : config["architectures"]) name = class_with_head(name.get<std::string>());
  }
  return config;
}

// Of the text's part as it was published what differs from what is written: its type.
Json whole_config(const ContainerInput& input, const FloatType& type) {
  Json config = *input.beside->config;
  settle(config, input.model.decoder, type);
  if (!config.contains("text_config")) return config;
  Json& text = config["text_config"];
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (text.contains(key)) text[key] = type.torch;
  }
  if (text.contains("tie_word_embeddings")) text["tie_word_embeddings"] = input.model.decoder.tied;
  return config;
}

}  // namespace zp
