#include "source/checkpoint.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/json.h"
#include "source/folder.h"
#include "source/unread_files.h"

namespace zp {
namespace fs = std::filesystem;

#define ZP_SOURCE(file) extern const SourceKind source_##file;
#include "source/sources.def"
#undef ZP_SOURCE

std::span<const SourceKind* const> source_kinds() {
#define ZP_SOURCE(file) &source_##file,
  static constexpr std::array all = {
#include "source/sources.def"
  };
#undef ZP_SOURCE
  return all;
}

const SourceKind* source_kind_of(Bytes file) {
  const auto kinds = source_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const SourceKind* k) { return k->recognizes(file); });
  return found == kinds.end() ? nullptr : *found;
}

Checkpoint::Checkpoint()
    : config_(std::make_shared<Json>()), generation_config_(std::make_shared<Json>()) {}

const Tensor* Checkpoint::find(std::string_view name) const {
  const auto place = places_.find(std::string(name));
  return place == places_.end() ? nullptr : &tensors[place->second];
}

void Checkpoint::add(Tensor tensor, const std::string& where) {
  const std::string shown = printable(tensor.name, tensor.name.size());
  if (shown != tensor.name)
    throw Error(where, "tensor's name is no printable UTF-8", {}, "\"" + shown + "\"");
  if (!places_.emplace(tensor.name, tensors.size()).second) {
    throw Error(where, "tensor stands twice", {}, "\"" + tensor.name + "\"");
  }
  tensors.push_back(std::move(tensor));
}

void Checkpoint::replace(std::vector<Tensor> others) {
  tensors = std::move(others);
  places_.clear();
  for (std::size_t i = 0; i < tensors.size(); ++i) places_.emplace(tensors[i].name, i);
}

MatrixShape matrix_shape(std::span<const std::int64_t> shape, const std::string& where) {
  MatrixShape matrix;
  if (shape.empty()) return matrix;
  // [2^62, 0] has rows without end but nothing in them.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return {0, 0};
  matrix.cols = shape.back();
  for (const std::int64_t n : shape.first(shape.size() - 1))
    matrix.rows = checked_mul(matrix.rows, n, where);
  return matrix;
}

namespace {

void read_file(const fs::path& path, Checkpoint& checkpoint) {
  checkpoint.files.push_back(std::make_unique<MappedFile>(path));
  const Bytes bytes = checkpoint.files.back()->bytes();
  const SourceKind* kind = source_kind_of(bytes);
  if (kind == nullptr) {
    std::string known;
    for (const SourceKind* k : source_kinds())
      known += (known.empty() ? "" : ", ") + std::string(k->name);
    throw Error(path.string(), bytes.empty() ? "empty file" : "no checkpoint that is known here",
                known, describe_file(bytes));
  }
  if (!checkpoint.kind.empty() && checkpoint.kind != kind->name) {
    throw Error(path.string(), "shard of another kind", checkpoint.kind, std::string(kind->name));
  }
  checkpoint.kind = kind->name;
  kind->read(bytes, path.string(), checkpoint);
}

// Every tensor of a shard must be the index's, and in the shard that the index says.
void check_index(const ModelFiles& files, const std::string& file, std::size_t first,
                 const Checkpoint& checkpoint) {
  const std::string where = files.index.string();
  for (std::size_t i = first; i < checkpoint.tensors.size(); ++i) {
    const std::string& name = checkpoint.tensors[i].name;
    const auto entry = files.file_of.find(name);
    if (entry == files.file_of.end())
      throw Error(where, "tensor of " + file + " missing", "\"" + name + "\"");
    if (entry->second != file)
      throw Error(where + ": \"" + name + "\"", "tensor in another shard", entry->second, file);
  }
}

void read_files(const ModelFiles& files, Checkpoint& checkpoint) {
  for (const std::string& file : files.names) {
    const std::size_t first = checkpoint.tensors.size();
    read_file(files.folder / file, checkpoint);
    if (!files.index.empty()) check_index(files, file, first, checkpoint);
  }
  for (const auto& [name, file] : files.file_of) {
    if (checkpoint.find(name) == nullptr)
      throw Error((files.folder / file).string(), "tensor missing", "\"" + name + "\"");
  }
}

}  // namespace

Checkpoint open_checkpoint(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.path = path;
  std::error_code reason;
  const fs::file_status status = fs::status(path, reason);
  if (!fs::exists(status)) throw Error(path.string(), "no such file or folder");
  const ModelFiles files = fs::is_directory(status) ? find_model(path) : model_of_file(path);
  checkpoint.folder = files.folder.empty() ? fs::path(".") : files.folder;
  read_files(files, checkpoint);
  checkpoint.description->complete(checkpoint);
  return checkpoint;
}

}  // namespace zp
