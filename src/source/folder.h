// Which files of a folder are the model.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace zp {

/// A sharded checkpoint's index (NAME.index.json of Hugging Face): {"weight_map": {tensor: file}}.
struct Shards {
  std::filesystem::path index;
  std::map<std::string, std::string> file_of;  ///< by tensor
  std::set<std::string> files;
};

/// Checks that every file is a plain name inside the index's folder and is there. A link may lead
/// out of the folder only to where the index itself leads (Hugging Face's cache does that).
Shards read_index(const std::filesystem::path& index);

/// The file `name` in the folder of the file `of`, which names it. Throws Error at `where` unless
/// it is a plain name and there; a link may lead out of the folder only to where `of` itself leads.
/// `what` the file is, for messages: "shard".
std::filesystem::path file_beside(const std::filesystem::path& of, const std::string& name,
                                  const std::string& where, const std::string& what);

struct FolderModel {
  std::filesystem::path file;    ///< of one file
  std::optional<Shards> shards;  ///< else
};

/// Looks for model.safetensors(.index.json), one *.safetensors, pytorch_model.bin(.index.json), one
/// *.gguf, model.onnx or one *.onnx, in this order. Throws Error when there is none, or two of one
/// form.
FolderModel find_model(const std::filesystem::path& folder);

}  // namespace zp
