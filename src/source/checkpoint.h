// A checkpoint: tensors by name and the files that describe the model, whatever form it has on
// disk.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "format/gguf.h"
#include "format/onnx.h"
#include "format/openvino.h"
#include "model/architecture.h"
#include "source/description.h"
#include "tensor/rows.h"

namespace zp {

/// Of a part that is no decoder of text.
struct OtherTensor {
  std::string_view what;  ///< see BesideTensor
  Tensor tensor;
};

/// A model of several parts, where the checkpoint is the text's.
struct WholeModel {
  Json config;                               ///< config.json as it was published
  std::map<std::string, std::string> names;  ///< see Beside
};

/// Owns the mapped files; tensors read from them, so nothing taken from here may outlive it.
class Checkpoint {
 public:
  std::filesystem::path path;  ///< as the user gave it
  /// Where config.json and the tokenizer are looked for; empty where the file itself has them.
  std::filesystem::path folder;
  std::string kind;         ///< name of the source: "safetensors", "pytorch", "gguf"
  World world = World::hf;  ///< whose names the tensors have
  const Description* description = &folder_description;  ///< where it is said what the model is
  std::vector<std::unique_ptr<MappedFile>> files;
  std::vector<Tensor> tensors;      ///< in the order of the files; filled by add()
  std::vector<OtherTensor> beside;  ///< of parts that are no decoder of text: images, speech
  std::shared_ptr<const WholeModel> whole;        ///< nullptr: the decoder is no part of a model
  std::vector<gguf::Pair> metadata;               ///< GGUF's own, else empty
  std::optional<onnx::Model> onnx_graph;          ///< of an ONNX model
  std::optional<openvino::Graph> openvino_graph;  ///< of an OpenVINO model
  std::vector<std::string> notes;  ///< what people should know about how the files were read

  Checkpoint();

  /// config.json, or null.
  Json& config() { return *config_; }
  const Json& config() const { return *config_; }
  /// generation_config.json, or null.
  Json& generation_config() { return *generation_config_; }
  const Json& generation_config() const { return *generation_config_; }

  const Tensor* find(std::string_view name) const;
  /// Throws Error at `where` for a name that is there already or isn't printable UTF-8.
  void add(Tensor tensor, const std::string& where);
  /// Takes these in place of all tensors. No name may stand twice.
  void replace(std::vector<Tensor> others);

 private:
  std::unordered_map<std::string, std::size_t> places_;  // of tensors, by name
  // Never null; pointers, for Json is only declared here. Shared ones need no more of it.
  std::shared_ptr<Json> config_;
  std::shared_ptr<Json> generation_config_;
};

/// A tensor's shape as matrix: the last dimension is the columns, the others the rows; no
/// dimensions or one give one row.
struct MatrixShape {
  std::int64_t rows = 1;
  std::int64_t cols = 1;
};
MatrixShape matrix_shape(std::span<const std::int64_t> shape, const std::string& where);

/// A kind of checkpoint file.
struct SourceKind {
  std::string_view name;
  std::string_view summary;
  /// Judged from the bytes, never from the name.
  bool (*recognizes)(Bytes file);
  /// Appends the file's tensors, which read from `file`. `where` begins messages.
  void (*read)(Bytes file, const std::string& where, Checkpoint& checkpoint);
};
std::span<const SourceKind* const> source_kinds();
/// nullptr when no kind recognizes the bytes.
const SourceKind* source_kind_of(Bytes file);

/// Opens a folder or a file, which may be an index or a shard (source/folder.h). Throws Error.
///
/// Of a folder the first of these is taken: safetensors, PyTorch, GGUF, ONNX, OpenVINO. Two that claim to be
/// the whole model in the same form are refused.
Checkpoint open_checkpoint(const std::filesystem::path& path);

}  // namespace zp
