// An architecture: one file that holds its names in every world as columns of one table.
//
// Containers and sources see only TensorUse rows and the few facts below, so a new architecture
// touches none of them: it is one file here and one line in architectures.def.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/decoder.h"
#include "model/field.h"
#include "model/place.h"
#include "model/runtime_module.h"
#include "tensor/rows.h"

namespace zp {

class ConfigReader;

enum class Part { weight, bias };
/// How GGUF wants the rows (gguf_rows.h): as they are, interleaved pairs for its rotation (llama's q
/// and k), or linear attention's heads of values in tiles: rows of all of them, behind those of
/// queries and keys, one row for each head, or their columns.
enum class RowOrder {
  same,
  interleave_query,
  interleave_key,
  tile_values,
  tile_values_behind_keys,
  tile_value_heads,
  tile_value_columns,
};

/// Whose names a checkpoint's tensors have, and whose orientation.
enum class World { hf, gguf, mlx };

/// One tensor the model has: a line of the architecture's table, for one layer.
struct TensorUse {
  Place place;
  Part part = Part::weight;
  std::string hf;  ///< name in Hugging Face checkpoints, with ".weight" or ".bias"
  std::string gguf;
  std::string module;     ///< its path among a runtime's modules: what MLX and ONNX folders call it
  std::int64_t rows = 0;  ///< 1 for norms and biases
  std::int64_t cols = 0;
  bool transposed = false;  ///< the checkpoint stores cols x rows (GPT-2's Conv1D)
  RowOrder gguf_order = RowOrder::same;
  std::int64_t parts = 1;  ///< of a norm's columns, each of which is normed by itself
  /// Of an expert: so many matrices (biases) lie one behind the other in the tensor of that name,
  /// but for Hugging Face's, which has the expert's number. 0: of no expert.
  std::int64_t experts = 0;

  bool is_stacked(World world) const { return experts > 0 && world != World::hf; }
  const std::string& name(World world) const;
  /// A matrix that multiplies activations or is looked up: no norm and no bias.
  bool is_matrix() const { return part == Part::weight && zp::is_matrix(place.role); }
  /// A row of weights for each column, one for each token that is seen.
  bool is_convolution() const { return part == Part::weight && place.role == Role::convolution; }
  /// Of the tensor that holds it, outermost first.
  std::vector<std::int64_t> shape(World world) const;
};

/// A size that tensors are made of: the model's, or its layer's.
enum class Dim {
  one,
  vocabulary,
  hidden,
  context,
  heads,
  head,
  query,
  key,
  attended,
  query_rank,
  kv_a,
  kv_rank,
  kv_b,
  qkv,
  ffn,
  gate_up,
  experts,
  expert_ffn,
  expert_width,
  shared_ffn,
  layer_vocabulary,
  layer_columns,
  all_layer_columns,
  conv_in,
  convolution,
  gated_query,
  delta_qkv,
  delta_qkvz,
  delta_value,
  delta_heads,
  delta_head_pairs,
  delta_head,
  space_in,
  space_convolved,
  space,
  space_heads,
};
/// layer: that of the tensor, any where it is in none.
std::int64_t size_of(Dim dim, const Decoder& decoder, std::int64_t layer);

/// A line of the table. Names have {} for the layer's number and end before ".weight" or ".bias".
/// A line of experts has {} for the expert's number behind it in Hugging Face's name. Layers with
/// experts have these, the router and the lines of the shared MLP (Dim::shared_ffn), other layers the
/// lines of one MLP.
struct TensorRow {
  Role role;
  Part part;
  std::string_view hf;
  std::string_view gguf;
  std::string_view module;  ///< empty: as hf
  Dim rows;
  Dim cols;
  bool (*when)(const Decoder&) = nullptr;  ///< nullptr: every model has it
  RowOrder gguf_order = RowOrder::same;
  bool transposed = false;
  bool bare = false;  ///< Hugging Face's and MLX's names end there, without ".weight" or ".bias"
  bool gguf_bare = false;  ///< and GGUF's
};

/// One tensor of a Hugging Face checkpoint for all experts of a layer, which newer ones have instead
/// of one for each: [experts, rows, columns], or [experts, rows] of biases. The rows are those of
/// `roles`, which are as many of each.
struct StackedRow {
  std::string_view hf;  ///< the whole name, {} for the layer's number
  Part part;
  std::span<const Role> roles;
  bool interleaved = false;  ///< a row of each role in turns, else one role's behind the other's
  bool transposed = false;   ///< [experts, columns, rows]
  bool one_mlp =
      false;  ///< not of experts, but of the MLP beside or in place of them: [rows, columns]
};

using Names = std::span<const std::string_view>;

/// A part of Hugging Face's names, and what newer checkpoints have in its place.
struct NewerPart {
  std::string_view older;  ///< empty: names have stayed as they were
  std::string_view newer;
};

/// What llama.cpp's graph for the architecture computes where GGUF's keys leave no choice.
struct GgufFacts {
  std::string_view name;             ///< general.architecture, and what its keys begin with
  std::string_view of_experts = {};  ///< instead, where the model has experts; empty: the same
  RuntimeModule computes;
  bool always_window_key = false;  ///< older readers insist on attention.sliding_window, 0 for none
  bool always_rope_freqs = false;  ///< it wants rope_freqs, though they divide by 1
  bool partial_rope = false;       ///< it rotates fewer dimensions than a head has where told to
  bool values_may_be_keys = false;  ///< in layers that have no matrix for values
  bool tempers_queries = false;     ///< it multiplies them by what follows from their positions
  /// Layers with a window have a rotary embedding of their own, without scaling, of the same base
  /// as the others or of this one.
  bool local_rope = false;
  std::optional<double> local_theta = {};
  /// Sets what the graph has one way or takes where a key is missing, given the keys that are there.
  void (*graph)(Decoder&) = nullptr;

  std::string_view name_of(const Decoder& decoder) const {
    return decoder.experts.count > 0 && !of_experts.empty() ? of_experts : name;
  }
};

/// Whether the graph reads rope_freqs and rope_factors_* tensors.
bool reads_rope_tensors(const GgufFacts& facts);

/// mlx-lm's module for the architecture: mlx_lm/models/NAME.py.
struct MlxFacts {
  Names
      model_types;  ///< config.json's "model_type" that lead to it; the first is the module's name
  RuntimeModule computes;
  /// Fields that it wants stated, or has another default for than transformers.
  Names fields = {};
  /// Fields that it is told as they are written here, whatever the source says: this means the same.
  Names respelled = {};
  /// "model_type" of its models of several parts whose text is this module's: config.json has it as
  /// "text_config" there, and its modules' paths begin with "language_model.".
  Names wholes = {};
  bool only_whole = false;    ///< reads the text alone in that form, too, of the first of them
  bool parts_latent = false;  ///< takes kv_b apart when it loads, which codes don't survive
  bool sums_norms = false;    ///< its norms hold 1 + weight where the model's multiply by that
};

/// Fields of config.json that are no row, or in several forms: read, and written.
struct MoreFields {
  void (*read)(ConfigReader& fields, Decoder& decoder) = nullptr;
  void (*write)(const Decoder& decoder, Json& config) = nullptr;
};

/// Constant data: nothing of it is made at run time.
struct Architecture {
  std::string_view name;     ///< ours: "llama"
  std::string_view summary;  ///< models people know
  Names hf_classes;          ///< config.json's "architectures": "LlamaForCausalLM"
  /// The same without a head, in the same order: "LlamaModel". Saved so, names lack the prefix.
  Names inner_classes;
  Names model_types;  ///< config.json's "model_type", which decides
  /// What config.json and GGUF say of a model, in GGUF's order.
  std::span<const Field> fields;
  /// What else config.json says.
  MoreFields more = {};
  /// The rotary embedding's fields; none where it is among those.
  std::optional<RopeRules> rope = {};
  /// Sets what all of its models have and no field says.
  void (*fix)(Decoder&) = nullptr;
  std::span<const FixedField> fixed_fields = {};
  /// Fields of config.json that change nothing, beside those of every architecture.
  Names without_influence = {};
  /// Every tensor, those outside the layers before and after them in file order.
  std::span<const TensorRow> table;
  /// The first row of a role and part is the form that is written where `only_stacked`.
  std::span<const StackedRow> stacked = {};
  /// Hugging Face's checkpoints have no tensors of single experts, whatever the table calls them.
  bool only_stacked = false;
  /// What layers beyond the last are for; empty: there are none. They are not computed.
  std::string_view beyond_layers = {};
  /// Fields of config.json that are written as the model has them once its weights are multiplied
  /// (Decoder::factors), whatever the source says.
  Names multiplied = {};
  /// In the table's names the older part stands.
  NewerPart newer_part = {};
  /// Begins names in most checkpoints, but not where the model was saved without its head
  /// ("model.", "transformer.").
  std::string_view optional_prefix;
  /// Checkpoint tensors that are no weights (mask buffers, inv_freq): fnmatch patterns.
  Names ignored;
  GgufFacts gguf;
  MlxFacts mlx;

  /// Throws Error naming a field whose meaning isn't known.
  Decoder read_config(const Json& config, const std::string& where) const;
};

std::span<const Architecture* const> architectures();
/// By config.json's "model_type", as transformers does, or by "architectures" where it is missing.
/// Throws Error naming what is unknown, and where the two contradict each other.
const Architecture& find_architecture(const Json& config, const std::string& where);
/// "LlamaForCausalLM" for "LlamaModel"; a name that isn't of such a class stays.
std::string class_with_head(const std::string& name);

/// Every tensor the model has, in file order. A tied head is not among them. Throws Error for more
/// experts than any model has.
std::vector<TensorUse> tensor_uses(const Architecture& architecture, const Decoder& decoder);
std::int64_t parameters(std::span<const TensorUse> uses);
/// Of the norm with that role.
double norm_epsilon(const Decoder& decoder, Role role);
/// Parts of a row that it norms each by itself, with weights of its own.
std::int64_t norm_parts(const Decoder& decoder, Role role);

/// A tensor's use and where its values come from.
struct Weight {
  TensorUse use;
  const RowReader* rows =
      nullptr;              ///< use.rows x use.cols, already transposed when the table says so
  std::string stored_type;  ///< dtype or grid it had in the checkpoint
};

/// The model: what it computes and its weights. Borrows the checkpoint's readers.
struct Model {
  const Architecture* architecture = nullptr;
  Decoder decoder;
  std::vector<Weight> weights;
  std::vector<std::unique_ptr<RowReader>> derived;  ///< readers made on the way (transposes)
  std::vector<std::string> notes;  ///< what people should know about how the tensors were taken
  std::int64_t parameters() const;
  /// Those that a token goes through: of experts the chosen ones.
  std::int64_t active_parameters() const;
  /// Whether the network has weights of that role. A tied head has none of its own.
  bool has(Role role) const;
  /// The weight there, not its bias; nullptr if there is none.
  const Weight* find(Place place) const;
};

/// Finds every tensor of the architecture in the checkpoint, checks its shape, and multiplies it by
/// Decoder::factors, of which the model has none any more. Throws Error for
/// a tensor that is missing, has another shape, or has no use here. A tied model may store its
/// embedding under the head's name, or both: where they differ it isn't tied after all, as in
/// transformers 5, and a note says so. Rows come out in Hugging Face's order and form whatever the
/// world.
Model bind_model(const Architecture& architecture, Decoder decoder, std::span<const Tensor> tensors,
                 const std::string& where, World world = World::hf);

}  // namespace zp
