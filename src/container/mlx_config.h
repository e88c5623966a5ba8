// config.json in the words mlx-lm reads (mlx_lm/utils.py, mlx_lm/models/*.py): what is quantized
// how, and older spellings of what transformers 5 writes otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "format/mlx.h"
#include "model/architecture.h"

namespace zp {

/// A layer with a weight matrix.
struct MlxModule {
  std::string path;                    ///< "model.layers.0.mlp.down_proj"
  std::optional<mlx::Form> form = {};  ///< nothing: in floating point
  std::int64_t parameters = 0;
};

/// Adds what mlx-lm's module for the architecture wants stated and the source leaves open.
void spell_for_module(Json& config, const Model& model);

/// Where that module will compute something else than the model says; for people. Throws Error for
/// what it can't compute.
std::vector<std::string> mlx_notes(const Model& model);

/// `config`: what the source said. What it says already stays.
Json mlx_config(Json config, const Decoder& decoder, std::span<const MlxModule> modules);

/// What paths of the text's modules begin with in a module of several parts.
inline constexpr std::string_view kInWhole = "language_model.";
/// The config of a module of several parts: `whole` with that of the text as one of them, but for
/// what is said of all.
Json in_whole(Json config, Json whole);

}  // namespace zp
