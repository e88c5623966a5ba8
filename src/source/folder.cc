#include "source/folder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/json_file.h"
#include "source/shard_name.h"
#include "source/unread_files.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kIndex = ".index.json";
constexpr const char* kMap = "weight_map";

// A form that a model takes in a folder: the canonical file's name or empty, and what files end
// with. Where others than the model's end so, too, only shards of the canonical name count.
struct Form {
  std::string_view whole;
  std::string_view ending;
  bool others = false;
};
constexpr std::array kForms = {
    Form{"model.safetensors", ".safetensors"},
    Form{"pytorch_model.bin", ".bin", true},
    Form{"", ".gguf"},
    Form{"model.onnx", ".onnx"},
    Form{"openvino_model.xml", ".xml", true},
};

std::vector<std::string> names_ending(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(ending) && !is_adapter_file(name))
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void ambiguous(const fs::path& folder, const std::string& a, const std::string& b) {
  throw Error(folder.string(), "two models in one folder; name the file", "one", a + " and " + b);
}

ModelFiles parse_index(const fs::path& index) {
  ModelFiles files;
  files.index = index;
  files.folder = index.parent_path();
  const Json json = read_json(index);
  const JsonFields fields(json, index.string());
  const Json& map = fields.at(kMap);
  const std::string where = index.string() + ": " + kMap;
  if (!map.is_object() || map.empty())
    throw Error(where, "wrong type", "an object of tensors", map.type_name());
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string())
      throw Error(where + ": \"" + tensor + "\"", "wrong type", "a file's name", file.type_name());
    files.file_of[tensor] = file.get<std::string>();
    files.names.insert(file.get<std::string>());
  }
  return files;
}

void check_files(const ModelFiles& files) {
  for (const std::string& name : files.names)
    file_beside(files.index, name, files.index.string() + ": shard \"" + name + "\"", "shard");
}

ModelFiles all_shards(const fs::path& folder, const ShardName& shard) {
  ModelFiles files;
  files.folder = folder;
  for (int i = 1; i <= shard.count; ++i) {
    const std::string name = shard.other(i);
    if (!fs::exists(folder / name)) throw Error((folder / name).string(), "shard missing");
    files.names.insert(name);
  }
  return files;
}

// An index beside a whole file.
ModelFiles whole_or_index(const fs::path& folder, const std::string& whole) {
  const std::string index = whole + std::string(kIndex);
  ModelFiles indexed = parse_index(folder / index);
  if (indexed.names == std::set<std::string>{whole}) {
    check_files(indexed);
    return indexed;
  }
  const bool gone = std::ranges::none_of(
      indexed.names, [&](const std::string& name) { return fs::exists(folder / name); });
  if (!gone) ambiguous(folder, whole, index);
  return {folder, {whole}, {}, {}};
}

// Without names when the folder has nothing of this form.
ModelFiles of_form(const Form& form, const fs::path& folder) {
  const std::string whole(form.whole);
  const bool has_index = !whole.empty() && fs::exists(folder / (whole + std::string(kIndex)));
  const bool has_whole = !whole.empty() && fs::exists(folder / whole);
  if (has_index && has_whole) return whole_or_index(folder, whole);
  if (has_index) return read_index(folder / (whole + std::string(kIndex)));
  if (has_whole) return {folder, {whole}, {}, {}};
  std::vector<std::string> names = names_ending(folder, form.ending);
  std::erase_if(names, [&](const std::string& name) {
    const auto shard = parse_shard_name(name);
    return form.others && (!shard || shard->stem + shard->ending != form.whole);
  });
  if (names.empty()) return {};
  const auto first = parse_shard_name(names.front());
  ModelFiles files = first ? all_shards(folder, *first) : ModelFiles{folder, {names[0]}, {}, {}};
  const auto other = std::ranges::find_if(
      names, [&](const std::string& name) { return !files.names.contains(name); });
  if (other != names.end()) ambiguous(folder, names.front(), *other);
  return files;
}

}  // namespace

fs::path file_beside(const fs::path& of, const std::string& name, const std::string& where,
                     const std::string& what) {
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/\\") != name.npos ||
      name.find('\0') != name.npos) {
    throw Error(where, what + " outside the folder", "a file's name alone");
  }
  const fs::path own_folder = of.has_parent_path() ? of.parent_path() : fs::path(".");
  fs::path path = own_folder / name;
  std::error_code reason;
  const fs::path real = fs::canonical(path, reason);
  if (reason) throw Error(where, what + " missing");
  const fs::path folder = real.parent_path();
  if (folder != fs::canonical(own_folder) && folder != fs::canonical(of).parent_path())
    throw Error(where, "link leads outside the folder", own_folder.string(), real.string());
  return path;
}

ModelFiles read_index(const fs::path& index) {
  ModelFiles files = parse_index(index);
  check_files(files);
  return files;
}

ModelFiles find_model(const fs::path& folder) {
  for (const Form& form : kForms) {
    ModelFiles files = of_form(form, folder);
    if (!files.names.empty()) return files;
  }
  throw Error(
      folder.string(), "no model in this folder",
      "model.safetensors, pytorch_model.bin, an index of either, one .gguf file, model.onnx or "
      "openvino_model.xml",
      describe_folder(folder));
}

bool is_index(const fs::path& file) {
  if (!file.string().ends_with(kIndex)) return false;
  const Json json = read_json(file);
  return json.is_object() && json.contains(kMap);
}

ModelFiles model_of_file(const fs::path& file) {
  if (is_index(file)) return read_index(file);
  const fs::path folder = file.parent_path();
  const std::string name = file.filename().string();
  const std::optional<ShardName> shard = parse_shard_name(name);
  if (!shard) return {folder, {name}, {}, {}};
  const fs::path index = folder / (shard->stem + shard->ending + std::string(kIndex));
  if (fs::exists(index)) {
    ModelFiles files = read_index(index);
    if (files.names.contains(name)) return files;
  }
  return all_shards(folder, *shard);
}

std::string model_name_of(const fs::path& file) {
  std::string name = file.filename().string();
  if (const auto shard = parse_shard_name(name)) return shard->stem;
  if (name.ends_with(kIndex)) name.resize(name.size() - kIndex.size());
  return fs::path(name).stem().string();
}

}  // namespace zp
