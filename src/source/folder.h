// Which files of a folder are the model.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace zp {

/// The files of a model, one or many shards. Hugging Face's NAME.index.json says which tensor is in
/// which: {"weight_map": {tensor: file}}.
struct ModelFiles {
  std::filesystem::path folder;
  std::set<std::string> names;
  std::filesystem::path index;                 ///< empty: there is none
  std::map<std::string, std::string> file_of;  ///< by tensor; the index's
};

/// Checks that every file is a plain name inside the index's folder and is there. A link may lead
/// out of the folder only to where the index itself leads (Hugging Face's cache does that).
ModelFiles read_index(const std::filesystem::path& index);

/// The file `name` in the folder of the file `of`, which names it. Throws Error at `where` unless
/// it is a plain name and there; a link may lead out of the folder only to where `of` itself leads.
/// `what` the file is, for messages: "shard".
std::filesystem::path file_beside(const std::filesystem::path& of, const std::string& name,
                                  const std::string& where, const std::string& what);

/// Looks for model.safetensors(.index.json), one *.safetensors, pytorch_model.bin(.index.json), one
/// *.gguf, model.onnx or one *.onnx, openvino_model.xml, in this order; all shards NAME-00001-of-00003.* of one model
/// stand for one. An index beside a whole file belongs to it when it names that file alone, or
/// shards that are gone. Throws Error when there is none, or two of one form.
ModelFiles find_model(const std::filesystem::path& folder);

/// An index stands for its shards, a shard for all of its model: by the index beside it that names
/// it, else by the names of the others, which must be there. Any other file stands for itself.
ModelFiles model_of_file(const std::filesystem::path& file);

/// Whether the file is a JSON object with a weight_map.
bool is_index(const std::filesystem::path& file);

/// "NAME" of NAME-00001-of-00003.safetensors, NAME.safetensors.index.json and NAME.safetensors.
std::string model_name_of(const std::filesystem::path& file);

}  // namespace zp
