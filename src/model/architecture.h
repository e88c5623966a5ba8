// An architecture: one file that holds its names in every world as columns of one table.
//
// Containers and sources see only TensorUse rows, so a new architecture touches none of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/decoder.h"
#include "tensor/rows.h"

namespace zp {

/// What a tensor does in the network. Names (role_name) are those of --set and reports.
enum class Role {
  embedding, position, attention_norm, query, key, value, qkv, attention_output, query_norm, key_norm,
  ffn_norm, gate, up, gate_up, down, output_norm, head,
};
std::string_view role_name(Role role);
/// A matrix that multiplies activations or is looked up (quantizable), not a norm.
bool is_matrix(Role role);

enum class Part { weight, bias };
/// How GGUF wants the rows: as they are, or interleaved pairs for its rotation (llama's q and k).
enum class RowOrder { same, interleave_query, interleave_key };

/// One tensor the model has: a line of the architecture's table, for one layer.
struct TensorUse {
  Role role;
  Part part = Part::weight;
  std::int64_t layer = -1;  ///< -1: outside the layers
  std::string hf;           ///< name in Hugging Face checkpoints, with ".weight" or ".bias"
  std::string gguf;
  std::string mlx;
  std::int64_t rows = 0;  ///< 1 for norms and biases
  std::int64_t cols = 0;
  bool transposed = false;  ///< the checkpoint stores cols x rows (GPT-2's Conv1D)
  RowOrder gguf_order = RowOrder::same;
};

struct Architecture {
  std::string_view name;        ///< ours: "llama"
  std::string_view summary;     ///< models people know
  std::string_view gguf;        ///< general.architecture
  std::vector<std::string_view> hf_classes;  ///< "LlamaForCausalLM"
  /// Fields that config.json may have beyond those the architecture reads, without meaning for us.
  /// Reads config.json; throws Error naming a field that it doesn't know the meaning of.
  Decoder (*read_config)(const Json& config, const std::string& where);
  /// Every tensor of the model, in file order. A tied head is not among them.
  std::vector<TensorUse> (*tensors)(const Decoder& decoder);
  /// Checkpoint tensors that are no weights (mask buffers, inv_freq): fnmatch patterns.
  std::vector<std::string_view> ignored;
};

std::span<const Architecture* const> architectures();
/// By config.json's "architectures" (else "model_type"). Throws Error naming what is unknown.
const Architecture& find_architecture(const Json& config, const std::string& where);

/// A tensor's use and where its values come from.
struct Weight {
  TensorUse use;
  const RowReader* rows = nullptr;  ///< use.rows x use.cols, already transposed when the table says so
  std::string stored_type;          ///< dtype or grid it had in the checkpoint
};

/// The model: what it computes and its weights. Borrows the checkpoint's readers.
struct Model {
  const Architecture* architecture = nullptr;
  Decoder decoder;
  std::vector<Weight> weights;
  std::vector<std::unique_ptr<RowReader>> derived;  ///< readers made on the way (transposes)
  std::int64_t parameters() const;
};

/// Finds every tensor of the architecture in the checkpoint and checks its shape. Throws Error for a
/// tensor that is missing, has another shape, or has no use here. A tied model may store its
/// embedding under the head's name.
Model bind_model(const Architecture& architecture, Decoder decoder, std::span<const Tensor> tensors,
                 const std::string& where);

}  // namespace zp
