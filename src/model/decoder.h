// What a decoder-only language model computes, as plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/place.h"

namespace zp {

enum class Norm { rms, layer };
/// gelu_sigmoid: x / (1 + e^(-1.702 x)); sigmoid: 1 / (1 + e^-x), of gates alone; squared_relu: x^2
/// above 0, else 0.
enum class Activation { silu, gelu_tanh, gelu_erf, gelu_sigmoid, sigmoid, squared_relu };
enum class RopeScaling { none, linear, llama3, longrope, yarn, stated };

/// Rotary position embedding: dimension i of the first dims / 2 turns with dimension i + dims / 2
/// by position * frequency, frequency = theta^(-2 i / dims), changed as `scaling` says. dims == 0:
/// the model has none.
struct Rope {
  double theta = 10000;
  std::int64_t dims = 0;     ///< rotated dimensions of each head, the leading ones
  bool trailing = false;     ///< the last ones instead
  bool interleaved = false;  ///< dimension 2 i turns with 2 i + 1 instead
  std::int64_t still = 0;    ///< the last so many pairs don't turn
  RopeScaling scaling = RopeScaling::none;
  double factor = 1;
  double low_freq_factor = 1;   ///< llama3
  double high_freq_factor = 4;  ///< llama3
  double beta_fast = 32;        ///< yarn
  double beta_slow = 1;         ///< yarn
  bool truncate = true;         ///< yarn: the ramp begins and ends at whole pairs
  std::int64_t original_context = 0;
  std::vector<float> short_factor = {};  ///< longrope: dims / 2 values each
  std::vector<float> long_factor = {};
  double attention_factor = 1;  ///< longrope and yarn: multiplies cos and sin
  /// longrope: does so instead where the long factors hold; 0: the same one does.
  double long_attention_factor = 0;
  /// yarn, latent attention: scores are multiplied by (0.1 that log(factor) + 1)^2; 0: they aren't.
  double sharpening = 0;
  /// stated: what each frequency is divided by, dims / 2 values (GGUF says llama3 so).
  std::vector<float> divisors = {};

  bool operator==(const Rope&) const = default;
};

/// How an expert's weight follows from the router's scores.
enum class Routing {
  softmax,  ///< of the scores
  /// Sigmoid of its score. With what the model has for each expert added (Role::router_correction),
  /// sigmoids say which are chosen.
  sigmoid,
  /// Of each of the chosen the softmax over those that weren't chosen before it and whose score is
  /// at most 2 `noise` below its own, as a share of the larger of its score and the other's
  /// magnitude (SparseMixer, as Phi-3.5-MoE computes it).
  sparsemixer,
};

/// MLPs of which each token goes through a few, chosen by a router: a linear that gives each of
/// them a score. Their outputs are added, weighted.
struct Experts {
  std::int64_t count = 0;   ///< 0: the model has none
  std::int64_t chosen = 0;  ///< those with the highest scores, of equal ones the first
  std::int64_t ffn = 0;     ///< inner size of each
  std::int64_t width = 0;   ///< of the vector that they read and make; 0: the hidden state's
  Routing routing = Routing::softmax;
  /// softmax: it is over the chosen ones alone, else over all; sigmoid: weights are divided by
  /// their sum.
  bool renormalized = false;
  double sum_addend = 1e-20;  ///< sigmoid, renormalized: added to the sum
  double noise = 0.01;        ///< sparsemixer
  /// The experts are in so many parts of one size, and those of `used_groups` are chosen from: of the
  /// groups whose highest score is (softmax), or whose two highest sum to (sigmoid) the most.
  std::int64_t groups = 1;
  std::int64_t used_groups = 1;
  double scale = 1;  ///< weights are multiplied by it
  std::int64_t shared_ffn =
      0;  ///< inner size of an MLP that every token goes through, too; 0: none

  bool operator==(const Experts&) const = default;
};

/// Keys and values that come of one vector of each token, their latent one, and of dimensions with the
/// rotary embedding that all heads have in common (DeepSeek). Each head's keys are its own dimensions,
/// then these.
struct Latent {
  std::int64_t rank = 0;        ///< dimensions of the latent vector; 0: the model has none
  std::int64_t query_rank = 0;  ///< of the one that queries come of; 0: they come of the input
  double norm_epsilon = 1e-6;   ///< of both vectors' norms

  bool operator==(const Latent&) const = default;
};

/// How a layer's tokens see each other.
enum class Mixer {
  attention,
  /// y = C convolution(B x), elementwise: B, C and x are what a linear makes of each token, and the
  /// convolution goes over the last tokens, each column by itself (LFM2).
  short_convolution,
  /// Linear attention with a state: queries, keys and values go through a convolution over the last
  /// tokens and SiLU, then the gated delta rule; what comes of it is normed, times SiLU of a gate
  /// (Qwen3-Next).
  gated_delta,
  /// A selective state space: what a linear makes of a token is its gate, its input with two vectors
  /// that write and read a state, which go through a convolution over the last tokens and SiLU first,
  /// and each head's time step; what comes of it, times SiLU of the gate, is normed (Mamba-2).
  state_space,
  /// Attention and a selective state space read the same; what they give is added (Falcon-H1).
  attention_and_space,
  none,  ///< a layer that is a feed-forward part alone (Nemotron-H)
};

/// Heads of linear attention. Each head of queries and keys serves as many heads of values, one
/// behind the other.
struct DeltaHeads {
  std::int64_t keys = 0;    ///< heads of queries and of keys; 0: no layer has linear attention
  std::int64_t values = 0;  ///< a multiple of them
  std::int64_t key_dim = 0;
  std::int64_t value_dim = 0;

  std::int64_t key_columns() const { return keys * key_dim; }
  std::int64_t value_columns() const { return values * value_dim; }
  /// Of queries, keys and values.
  std::int64_t columns() const { return 2 * key_columns() + value_columns(); }
  bool operator==(const DeltaHeads&) const = default;
};

/// Heads of a selective state space. As many, one behind the other, share what writes and reads their
/// states.
struct StateSpace {
  std::int64_t heads = 0;  ///< 0: no layer has one
  std::int64_t head_dim = 0;
  std::int64_t groups = 1;  ///< of heads
  std::int64_t state = 0;   ///< rows of each head's state, which has head_dim columns
  double least_step = 0;    ///< time steps are no smaller, and no larger than:
  double most_step = std::numeric_limits<double>::infinity();
  bool normed = true;  ///< behind its gate

  std::int64_t columns() const { return heads * head_dim; }
  /// Of input, what writes and what reads.
  std::int64_t convolved() const { return columns() + 2 * groups * state; }
  bool operator==(const StateSpace&) const = default;
};

/// Which of the model's rotary embeddings a layer has.
enum class RopeKind { none, global, local };

/// What a layer has that others of the model may have otherwise. Whether it has norms before its
/// halves, behind them or both is said by the architecture's table, which has weights for them.
struct Layer {
  std::optional<std::int64_t> window;  ///< tokens a position sees, itself included; none: all
  RopeKind rope = RopeKind::global;
  bool experts = false;  ///< instead of one MLP
  bool feeds = true;     ///< it has a feed-forward part: an MLP, or experts
  Mixer mixer = Mixer::attention;
  std::int64_t kv_heads = 0;  ///< 0: as many as the model has
  std::int64_t head_dim = 0;  ///< 0: the model's
  std::int64_t ffn = 0;       ///< 0: the model's
  /// The layer before it whose keys and values it reads; none: it has its own.
  std::optional<std::int64_t> keys_of;
  bool values_are_keys = false;  ///< what one matrix gives is both, before norms and rotation

  bool attends() const { return mixer == Mixer::attention || mixer == Mixer::attention_and_space; }
  bool operator==(const Layer&) const = default;
};

/// What a checkpoint's weights are multiplied by where the model says so beside them.
struct WeightFactor {
  Role role;
  double factor = 1;
  std::int64_t begin = 0;  ///< of the rows that are
  std::int64_t rows = 0;   ///< 0: all

  bool operator==(const WeightFactor&) const = default;
};

struct Decoder {
  std::string architecture;  ///< our name of it: "llama"
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;   ///< of queries and keys
  std::int64_t value_dim = 0;  ///< of values; 0: the same
  std::int64_t ffn = 0;
  std::int64_t vocabulary = 0;  ///< rows of the embedding
  std::int64_t context = 0;
  Norm norm = Norm::rms;
  double norm_epsilon = 1e-5;
  Activation activation = Activation::silu;
  bool gated = true;  ///< down(act(gate x) * up x), else down(act(up x))
  /// Experts compute down(act(gate x) * (up x + 1)), gate x at most this, up x at most this in
  /// magnitude; 0: they don't.
  double expert_limit = 0;
  bool tied = false;            ///< the head is the embedding
  bool parallel = false;        ///< attention and MLP read the same normed input (Phi-2)
  bool attention_bias = false;  ///< where the architecture leaves it to the model
  bool mlp_bias = false;        ///< the same
  bool head_bias = false;       ///< the same
  bool head_norms = false;      ///< the same, of norms over each head's queries and keys
  bool conv_bias = false;  ///< the same, of short convolutions and the linears around them, or of
                           ///< a state space's convolution
  bool norm_plus_one = false;  ///< norms multiply by 1 + weight, summed in FP32; gated ones don't
  bool output_gate = false;    ///< what attention gives is multiplied by sigmoids of what stands
                               ///< behind each head's queries in their matrix
  bool value_norms = false;    ///< heads of values are normed, by no weight
  bool norm_rotated = false;   ///< norms of queries and keys come behind the rotation, not before
  /// Embedding rows are multiplied by it. As FP32 (transformers rounds the factor to the type it
  /// computes in: in BF16, 55.5 instead of 3072's 55.4256).
  double embedding_scale = 1;
  double attention_scale = 0;     ///< scores are q k times this; 0: 1 / sqrt(head_dim)
  double attention_soft_cap = 0;  ///< then cap * tanh(scores / cap), before the mask; 0: none
  double logit_soft_cap = 0;      ///< the same on the logits
  double residual_scale = 1;      ///< what attention and MLP give is multiplied by it, then added
  double logit_divisor = 1;       ///< logits are divided by it
  /// Queries are multiplied by 1 + beta log(1 + floor(position / length)); beta 0: they aren't.
  double query_beta = 0;
  std::int64_t query_length = 1;
  Rope rope;        ///< of layers whose kind is global
  Rope local_rope;  ///< of those whose kind is local
  Experts experts;
  /// Tokens that a convolution sees, its own included; 0: no layer has one.
  std::int64_t convolution = 0;
  DeltaHeads delta;
  StateSpace space;
  Latent latent;
  /// Columns that each layer has of a token by itself, from a table of its own and from the
  /// embedding; 0: there are none.
  std::int64_t layer_columns = 0;
  std::int64_t layer_vocabulary = 0;  ///< rows of that table
  Layer every;                        ///< what all layers have
  std::vector<Layer> rows;            ///< where they differ: one for each, instead
  /// Of a model whose weights aren't bound yet: these have them multiplied (bind_model).
  std::vector<WeightFactor> factors;

  const Layer& layer(std::int64_t index) const {
    return rows.empty() ? every : rows[static_cast<std::size_t>(index)];
  }
  /// Floats that a layer keeps of all tokens before, whatever their number, beside the keys and values
  /// of each that attention keeps.
  std::int64_t state_floats(std::int64_t index) const;
  std::int64_t kv_heads_of(std::int64_t index) const {
    return layer(index).kv_heads != 0 ? layer(index).kv_heads : kv_heads;
  }
  std::int64_t head_dim_of(std::int64_t index) const {
    return layer(index).head_dim != 0 ? layer(index).head_dim : head_dim;
  }
  std::int64_t ffn_of(std::int64_t index) const {
    return layer(index).ffn != 0 ? layer(index).ffn : ffn;
  }
  std::int64_t value_dim_of(std::int64_t index) const {
    return value_dim != 0 ? value_dim : head_dim_of(index);
  }
  std::int64_t query_columns(std::int64_t index) const { return heads * head_dim_of(index); }
  /// Of what attention gives.
  std::int64_t attended_columns(std::int64_t index) const { return heads * value_dim_of(index); }
  /// Keys' dimensions that come of the latent vector.
  std::int64_t latent_key_dim() const { return head_dim - rope.dims; }
  std::int64_t key_columns(std::int64_t index) const {
    return kv_heads_of(index) * head_dim_of(index);
  }
  std::int64_t value_columns(std::int64_t index) const {
    return kv_heads_of(index) * value_dim_of(index);
  }
  /// What the layer's scores are multiplied by.
  double score_scale(std::int64_t index) const;
  /// Layers that have attention.
  std::int64_t attention_layers() const;
  /// Rows that a layer's MLPs have of each token: one, or one for each expert it goes through.
  std::int64_t mlp_rows(std::int64_t index) const {
    return layer(index).experts ? experts.chosen : 1;
  }
  /// The window of the layers that have one; none: no layer has. It is the same for all of them.
  std::optional<std::int64_t> window() const;
  /// Whether any layer has that kind.
  bool has(RopeKind kind) const;
  /// kind: global or local.
  const Rope& rope_of(RopeKind kind) const { return kind == RopeKind::local ? local_rope : rope; }

  bool operator==(const Decoder&) const = default;
};

/// Of layers of which every so-manieth is another than those before it: whether this one is.
inline bool ends_period(std::int64_t layer, std::int64_t period) {
  return (layer + 1) % period == 0;
}
/// Where the layers without a window come in such turns: how many one takes, one more than there are
/// layers where all have a window. None where they come otherwise.
std::optional<std::int64_t> window_period(const Decoder& decoder);
/// The same of layers with attention among those with another mixer.
std::optional<std::int64_t> attention_period(const Decoder& decoder);
/// The largest there is of what each layer has.
std::int64_t most_of_layers(const Decoder& decoder,
                            const std::function<std::int64_t(std::int64_t layer)>& of);
/// Columns of the widest of what linears read, experts' inner size aside.
std::int64_t widest_input(const Decoder& decoder);
/// Changes every layer's row. The layers are counted.
void set_layers(Decoder& decoder, const std::function<void(std::int64_t index, Layer& layer)>& set);
/// Gives layers for which `has` is true that window, and others none. The layers are counted.
void set_windows(Decoder& decoder, std::optional<std::int64_t> window,
                 const std::function<bool(std::int64_t layer)>& has);
/// Gives layers for which `has` is true the model's experts, and others one MLP. The layers are
/// counted.
void set_experts(Decoder& decoder, const std::function<bool(std::int64_t layer)>& has);

}  // namespace zp
