// Adapters as PEFT stores them: a folder of adapter_config.json and adapter_model.safetensors, which
// has of each module two matrices,
//
//   base_model.model.MODULE.lora_A.weight    r x inputs
//   base_model.model.MODULE.lora_B.weight    outputs x r
//
// MODULE: what the matrix' module is called in the Hugging Face model. Source: huggingface/peft,
// src/peft/tuners/lora/config.py and utils/save_and_load.py (0.21).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/view.h"

namespace zp::peft {

inline constexpr const char* kConfigFile = "adapter_config.json";
inline constexpr const char* kTensorsFile = "adapter_model.safetensors";
inline constexpr std::int64_t kMostRank = 1 << 16;

struct Module {
  std::string name;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::vector<float> a = {};
  std::vector<float> b = {};
};

struct Adapter {
  std::string base;  ///< the model it is of: a path, or a name of the Hub
  std::int64_t rank = 0;
  double alpha = 0;
  bool rank_stabilized = false;  ///< alpha / sqrt(r), Kalajdzievski (2023)
  /// The modules that have one: ends of their names behind a dot, or whole names.
  std::vector<std::string> targets = {};
  bool transposed = false;  ///< the model stores inputs x outputs (GPT-2's Conv1D)
  std::vector<Module> modules = {};

  /// What B A is multiplied by.
  float scale() const;
};

/// Throws Error for what isn't there or isn't whole, for kinds of adapters that are more than the two
/// matrices, and for shapes that don't fit each other.
Adapter read(const std::filesystem::path& folder);

/// The same of the two files' contents. `where`: the folder, which begins messages.
Adapter parse(const Json& config, Bytes tensors, const std::string& where);

/// The folder appears when it is complete. Matrices are FP32. Throws Error where it exists and
/// `replace` is false.
void write(const Adapter& adapter, const std::filesystem::path& folder, bool replace);

}  // namespace zp::peft
