// What a runtime's own module for an architecture computes, as data.
//
// A module reads most of what a model says from the file it is given. This is the rest: what it has
// one way only, or takes from somewhere else. Containers compare it with the Decoder
// (container/agreement.h) and note or refuse what differs. transformers has no such data: what it
// computes is what Decoder means. Nor have ONNX graphs, which hold the computation themselves.
#pragma once

#include <cmath>
#include <span>

#include "model/decoder.h"

namespace zp {

/// When longrope's long factors are taken.
enum class LongFactors {
  by_length,   ///< beyond the original context, as the model does
  by_context,  ///< at any length, where room for more than the original context was asked for
  always,
};

/// Scalings that are a formula of the frequencies, one that is a list, and all that config.json may
/// state.
inline constexpr RopeScaling kFormulas[] = {RopeScaling::linear, RopeScaling::yarn};
inline constexpr RopeScaling kLongrope[] = {RopeScaling::longrope};
inline constexpr RopeScaling kEveryScaling[] = {RopeScaling::linear, RopeScaling::yarn,
                                                RopeScaling::llama3, RopeScaling::longrope,
                                                RopeScaling::stated};

inline double natural_attention_scale(const Decoder& d) {
  return 1 / std::sqrt(static_cast<double>(d.head_dim));
}

struct RuntimeModule {
  Activation activation = Activation::silu;    ///< the one it has
  std::span<const RopeScaling> scalings = {};  ///< those it knows
  LongFactors long_factors = LongFactors::by_length;
  /// Longrope's attention factor follows from the contexts, and YaRN's is 1 where its factor is at
  /// most 1, whatever is stated.
  bool derives_attention_factor = false;
  bool usual_betas = false;  ///< YaRN's beta_fast is 32 and its beta_slow 1, whatever is stated
  bool windows = false;      ///< it keeps to sliding windows; else every layer sees everything
  /// All layers but every so-manieth have the window where any has one; 0: those of the model.
  std::int64_t window_period = 0;
  bool regular_windows = false;  ///< in turns, of whatever period
  /// Every so-manieth layer is without rope; 0: those of the model.
  std::int64_t rope_period = 0;
  /// Layers that read another's keys are behind all that have their own, and read those of the last
  /// of these, or with a window of the last but one.
  bool last_keys = false;
  bool one_vocabulary = false;     ///< layers' own parts of tokens are as many as the vocabulary
  bool regular_attention = false;  ///< among layers without it, in turns, of whatever period
  bool one_delta_size = false;     ///< linear attention's keys and values are as wide
  bool norms_delta = false;        ///< lengths of its queries and keys have the norms' epsilon
  /// YaRN sharpens scores, and leaves rotated queries and keys as long as they are.
  bool sharpens = false;
  bool endless_steps = false;     ///< a state space's time steps have no limits
  bool needs_conv_bias = false;   ///< a state space's convolution has one
  bool one_norm_part = false;     ///< its norm is over all heads at once
  bool no_shared_expert = false;  ///< no MLP beside experts
  /// Numbers of layers by which it takes latent attention's queries for ones that come of the input;
  /// empty: the file says so.
  std::span<const std::int64_t> input_queries = {};
  bool norms_latent = false;      ///< latent attention's norms have the other norms' epsilon
  bool two_of_groups = false;     ///< groups' two best experts speak for them, whatever the routing
  bool needs_scaling = false;     ///< it can't do without a rope scaling
  bool needs_window = false;      ///< it can't do without one
  bool needs_full_layer = false;  ///< nor without a layer that has none
  bool needs_caps = false;        ///< nor without soft caps
  bool needs_logit_cap = false;   ///< nor without the logits'
  bool tied = false;              ///< the head is always the embedding
  bool untied = false;            ///< the head is never the embedding
  bool experts_everywhere = false;    ///< every layer has experts where the model has
  bool experts_alone = false;         ///< or no feed-forward part
  bool renormalizes_experts = false;  ///< their weights are always softmax over the chosen ones
  bool softmax_routing = false;       ///< it knows no other routing
  bool unscaled_experts = false;      ///< their weights are multiplied by nothing
  bool zeroes_groups = false;         ///< of groups not chosen from; and divides no lone weight
  double expert_limit = 0;            ///< Decoder's, the one it has
  bool needs_biases = false;          ///< of attention and the head
  bool rms_norms = false;             ///< its norms are RMS norms, whatever the model's
  /// Longrope's attention factor is the same at every length: the one of the short factors.
  bool one_attention_factor = false;
  bool even_heads = false;              ///< heads are hidden / heads wide
  bool fourfold_ffn = false;            ///< MLPs are 4 hidden wide
  bool one_theta = false;               ///< global and local ropes have the same base
  bool no_biases = false;               ///< where the architecture leaves them to the model
  bool rounds_embedding_scale = false;  ///< to BF16
  /// What it multiplies scores by, from the sizes; nullptr: what the model says.
  double (*attention_scale)(const Decoder&) = natural_attention_scale;
};

}  // namespace zp
