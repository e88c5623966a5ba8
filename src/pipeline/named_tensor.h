// One tensor of a checkpoint, by any name that people have for it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/architecture.h"
#include "source/checkpoint.h"

namespace zp {

/// Owns what its rows read from; not movable.
class NamedTensor {
 public:
  /// name: as the file has it, as GGUF has it (with ".weight" or without), or "layers.N.ROLE". Throws
  /// Error for a name that no tensor has, or several have, and for a tensor that holds no weights.
  NamedTensor(const std::filesystem::path& model, const std::string& name);
  NamedTensor(const NamedTensor&) = delete;
  NamedTensor& operator=(const NamedTensor&) = delete;

  /// As the file has it, or as Hugging Face has it where that is another one.
  const std::string& name() const { return name_; }
  const RowReader& rows() const { return *rows_; }

 private:
  Checkpoint checkpoint_;
  std::optional<Model> model_;  // where the name is none of the file's
  std::string name_;
  const RowReader* rows_ = nullptr;
};

}  // namespace zp
