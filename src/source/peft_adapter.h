// An adapter that stands beside the model, in a folder (format/peft.h) or a file of llama.cpp's
// (format/gguf_lora.h), merged into a model's matrices.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "model/architecture.h"

namespace zp {

/// From now on the model's matrices have what the adapter adds to them (tensor/merged_rows.h), which
/// is said in its notes. Throws Error where the adapter is of other matrices than the model has.
void add_adapter(Model& model, const std::filesystem::path& path);

/// Of a folder of PEFT's layout that stands for a model: the base model that its adapter_config.json names,
/// where that is a path from here or from the folder. Else, and where the folder has a model: nothing.
std::optional<std::filesystem::path> base_of_adapter(const std::filesystem::path& folder);

/// What PEFT calls the matrix' module.
std::string peft_name(const TensorUse& use);

/// Throws Error at `where` for models whose matrices are not those of their Hugging Face checkpoints.
void check_adaptable(const Architecture& architecture, const std::string& where);

}  // namespace zp
