// What a decoder-only language model computes, as plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zp {

enum class Norm { rms, layer };
enum class Activation { silu, gelu_tanh, gelu_erf };
enum class RopeScaling { none, linear, llama3, longrope, yarn, stated };

/// Rotary position embedding: dimension i of the first dims / 2 turns with dimension i + dims / 2
/// by position * frequency, frequency = theta^(-2 i / dims), changed as `scaling` says. dims == 0:
/// the model has none.
struct Rope {
  double theta = 10000;
  std::int64_t dims = 0;  ///< rotated leading dimensions of each head
  RopeScaling scaling = RopeScaling::none;
  double factor = 1;
  double low_freq_factor = 1;   ///< llama3
  double high_freq_factor = 4;  ///< llama3
  double beta_fast = 32;        ///< yarn
  double beta_slow = 1;         ///< yarn
  std::int64_t original_context = 0;
  std::vector<float> short_factor;  ///< longrope: dims / 2 values each
  std::vector<float> long_factor;
  double attention_factor = 1;  ///< longrope and yarn: multiplies cos and sin
  /// stated: what each frequency is divided by, dims / 2 values (GGUF says llama3 so).
  std::vector<float> divisors;

  bool operator==(const Rope&) const = default;
};

/// What a layer has that others of the model may have otherwise.
struct Layer {
  std::optional<std::int64_t> window;  ///< tokens a position sees, itself included; none: all

  bool operator==(const Layer&) const = default;
};

struct Decoder {
  std::string architecture;  ///< our name of it: "llama"
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t ffn = 0;
  std::int64_t vocabulary = 0;  ///< rows of the embedding
  std::int64_t context = 0;
  Norm norm = Norm::rms;
  double norm_epsilon = 1e-5;
  Activation activation = Activation::silu;
  bool gated = true;            ///< down(act(gate x) * up x), else down(act(up x))
  bool tied = false;            ///< the head is the embedding
  bool parallel = false;        ///< attention and MLP read the same normed input (Phi-2)
  bool attention_bias = false;  ///< where the architecture leaves it to the model
  bool mlp_bias = false;        ///< the same
  bool post_norms = false;  ///< what attention and MLP give is normed once more before it is added
  bool norm_plus_one = false;  ///< norms multiply by 1 + weight, summed in FP32
  /// Embedding rows are multiplied by it. As FP32 (transformers rounds the factor to the type it
  /// computes in: in BF16, 55.5 instead of 3072's 55.4256).
  double embedding_scale = 1;
  double attention_scale = 0;     ///< scores are q k times this; 0: 1 / sqrt(head_dim)
  double attention_soft_cap = 0;  ///< then cap * tanh(scores / cap), before the mask; 0: none
  double logit_soft_cap = 0;      ///< the same on the logits
  Rope rope;
  Layer every;              ///< what all layers have
  std::vector<Layer> rows;  ///< where they differ: one for each, instead

  const Layer& layer(std::int64_t index) const {
    return rows.empty() ? every : rows[static_cast<std::size_t>(index)];
  }
  /// The window of the layers that have one; none: no layer has. It is the same for all of them.
  std::optional<std::int64_t> window() const;

  bool operator==(const Decoder&) const = default;
};

/// Gives layers for which `has` is true that window, and others none. The layers are counted.
void set_windows(Decoder& decoder, std::optional<std::int64_t> window,
                 const std::function<bool(std::int64_t layer)>& has);
/// Gives another size to the windows there are, or takes them away; where no layer differs from the
/// others, all of them get it.
void resize_windows(Decoder& decoder, std::optional<std::int64_t> window);

}  // namespace zp
