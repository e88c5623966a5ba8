// A checkpoint: tensors by name and the files that describe the model, whatever form it has on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "format/gguf.h"
#include "tensor/rows.h"

namespace zp {

/// Owns the mapped files; tensors read from them, so nothing taken from here may outlive it.
struct Checkpoint {
  std::filesystem::path path;    ///< as the user gave it
  std::filesystem::path folder;  ///< where config.json and the tokenizer are looked for
  std::string kind;              ///< name of the source: "safetensors", "pytorch", "gguf"
  std::vector<std::unique_ptr<MappedFile>> files;
  std::vector<std::unique_ptr<std::vector<std::byte>>> buffers;  ///< what couldn't be mapped
  std::vector<Tensor> tensors;   ///< in the order of the files
  Json config;                   ///< config.json, or null
  Json generation_config;        ///< or null
  std::vector<gguf::Pair> metadata;  ///< GGUF's own, else empty

  const Tensor* find(std::string_view name) const;
};

/// A kind of checkpoint file.
struct SourceKind {
  std::string_view name;
  std::string_view summary;
  /// Judged from the first bytes, never from the name.
  bool (*recognizes)(Bytes head);
  /// Appends the file's tensors to the checkpoint, whose files already own the mapping.
  void (*read)(const MappedFile& file, Checkpoint& checkpoint);
};
std::span<const SourceKind* const> source_kinds();

/// Opens a folder (sharded or single) or a file. Throws Error.
Checkpoint open_checkpoint(const std::filesystem::path& path);

}  // namespace zp
