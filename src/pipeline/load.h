// From a path to a model: checkpoint, architecture, weights, tokenizer.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/progress.h"
#include "judge/judge.h"
#include "model/architecture.h"
#include "source/checkpoint.h"
#include "text/tokenizer.h"

namespace zp {

/// Owns everything the weights read from; not movable, since they point into it.
struct LoadedModel {
  Checkpoint checkpoint;
  Model model;
  std::optional<Tokenizer> tokenizer;
  std::string name;   ///< of files made from it
  std::string title;  ///< for people: what the file calls itself, else the name
  /// GGUF's tokenizer.ggml.pre; what is made of a GGUF keeps it. Else empty.
  std::string pre_tokenizer;
  std::vector<gguf::Pair> provenance;  ///< provenance_of() the checkpoint
};

/// Throws Error when there is no config.json, the architecture is unknown, or tensors don't fit it.
/// A folder with an adapter of PEFT's alone stands for its base model with it, where that is on the disk.
/// merge: an adapter beside the text's weights, which goes into them; adapter: the folder of one that
/// does so, too; empty: none.
std::unique_ptr<LoadedModel> load_model(const std::filesystem::path& path,
                                        const std::string& merge = {},
                                        const std::string& adapter = {});

/// The same, and says what people should know about how the files were read.
std::unique_ptr<LoadedModel> load_model(const std::string& path, Progress& progress,
                                        const std::string& merge = {},
                                        const std::string& adapter = {});

/// What people should know about how the files were read.
std::vector<std::string> notes_of(const LoadedModel& loaded);

/// The model for the judge. Borrows it.
Subject subject_of(const LoadedModel& loaded);

/// A model known by its config.json alone: its shapes, for planning. Its weights can't be read and
/// it has no tokenizer.
std::unique_ptr<LoadedModel> load_shapes(const std::filesystem::path& config);

/// Whether the path is a lone JSON file, judged by its first byte, and no index of shards.
bool is_config(const std::filesystem::path& path);

}  // namespace zp
