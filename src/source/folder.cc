#include "source/folder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace fs = std::filesystem;
namespace {

// A form that a model takes in a folder. `whole` is the canonical file's name or empty, `suffix`
// what a lone file ends with when the canonical one isn't there, or empty.
struct Form {
  std::string_view whole;
  std::string_view suffix;
};
constexpr std::array kForms = {
    Form{"model.safetensors", ".safetensors"},
    Form{"pytorch_model.bin", ""},
    Form{"", ".gguf"},
    Form{"model.onnx", ".onnx"},
};

std::vector<std::string> names_ending(const fs::path& folder, std::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void ambiguous(const fs::path& folder, const std::string& a, const std::string& b) {
  throw Error(folder.string(), "two models in one folder; name the file", "one", a + " and " + b);
}

// The form's files: the canonical one, its index, else lone ones.
std::vector<std::string> files_of(const Form& form, const fs::path& folder) {
  std::vector<std::string> found;
  if (!form.whole.empty()) {
    for (const char* ending : {"", ".index.json"}) {
      const std::string name = std::string(form.whole) + ending;
      if (fs::exists(folder / name)) found.push_back(name);
    }
  }
  if (found.empty() && !form.suffix.empty()) found = names_ending(folder, form.suffix);
  return found;
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

Shards read_index(const fs::path& index) {
  Shards shards;
  shards.index = index;
  const Json json = read_json(index);
  const JsonFields fields(json, index.string());
  const Json& map = fields.at("weight_map");
  if (!map.is_object() || map.empty())
    throw Error(index.string() + ": weight_map", "wrong type", "an object of tensors",
                map.type_name());
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string())
      throw Error(index.string() + ": weight_map: \"" + tensor + "\"", "wrong type",
                  "a file's name", file.type_name());
    shards.file_of[tensor] = file.get<std::string>();
    shards.files.insert(file.get<std::string>());
  }
  for (const std::string& file : shards.files)
    file_beside(index, file, index.string() + ": shard \"" + file + "\"", "shard");
  return shards;
}

FolderModel find_model(const fs::path& folder) {
  for (const Form& form : kForms) {
    const std::vector<std::string> names = files_of(form, folder);
    if (names.size() > 1) ambiguous(folder, names[0], names[1]);
    if (names.empty()) continue;
    FolderModel model;
    if (names[0].ends_with(".index.json")) {
      model.shards = read_index(folder / names[0]);
    } else {
      model.file = folder / names[0];
    }
    return model;
  }
  throw Error(
      folder.string(), "no model in this folder",
      "model.safetensors, pytorch_model.bin, an index of either, one .gguf file or model.onnx");
}

}  // namespace zp
