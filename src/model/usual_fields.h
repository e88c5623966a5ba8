// Fields that most architectures have, to put an architecture's rows together of, in GGUF's order.
#pragma once

#include <array>
#include <cmath>

#include "model/field.h"

namespace zp::usual {

using OneField = std::array<Field, 1>;

// Sizes, by most architectures' names of them.

constexpr Field vocabulary(Size otherwise = nullptr) {
  return {"vocab_size", "vocab_size",
          Count{member<&Decoder::vocabulary>, whole<kMostVocabulary>, otherwise}, Unsaid::left};
}
constexpr Field context(std::string_view name = "max_position_embeddings",
                        std::string_view older = {}, Size otherwise = nullptr) {
  return {name, "context_length", Count{member<&Decoder::context>, whole<kMostContext>, otherwise},
          Unsaid::refused, older};
}
constexpr Field hidden(std::string_view name = "hidden_size", std::string_view older = {}) {
  return {name, "embedding_length", Count{member<&Decoder::hidden>, whole<kMostHidden>},
          Unsaid::refused, older};
}
constexpr Field layers(std::string_view name = "num_hidden_layers", std::string_view older = {}) {
  return {name, "block_count", Count{member<&Decoder::layers>, whole<kMostLayers>}, Unsaid::refused,
          older};
}
constexpr Field ffn(std::string_view name = "intermediate_size", std::string_view older = {},
                    Size otherwise = nullptr) {
  return {name, "feed_forward_length", Count{member<&Decoder::ffn>, whole<kMostFfn>, otherwise},
          Unsaid::refused, older};
}
/// Of keys and values, too, unless these have others.
constexpr Field heads(std::string_view name = "num_attention_heads", std::string_view older = {},
                      Size otherwise = nullptr) {
  return {name, "attention.head_count",
          Count{{member<&Decoder::heads>.get,
                 [](Decoder& d, std::int64_t n) { d.heads = d.kv_heads = n; }},
                whole<kMostHeads>,
                otherwise},
          Unsaid::refused, older};
}
constexpr Field kv_heads(std::string_view name = "num_key_value_heads", std::string_view older = {},
                         Size otherwise = member<&Decoder::kv_heads>.get) {
  return {name, "attention.head_count_kv",
          Count{member<&Decoder::kv_heads>, whole<kMostHeads>, otherwise}, Unsaid::left, older};
}
constexpr OneField head_size(HeadSize value = {}) {
  return {{{"head_dim", "attention.key_length", value}}};
}
inline constexpr std::int64_t fourfold(const Decoder& d) { return 4 * d.hidden; }

inline constexpr std::array kSizes = {vocabulary(), context(), hidden(), layers(), ffn()};
inline constexpr std::array kHeads = {heads(), kv_heads()};

// Norms, activation, switches.

constexpr OneField rms_epsilon(std::optional<double> otherwise = {}) {
  return {{{"rms_norm_eps", "attention.layer_norm_rms_epsilon",
            Positive{member<&Decoder::norm_epsilon>, otherwise}}}};
}
constexpr OneField layer_norm_epsilon(std::string_view name, double otherwise,
                                      std::string_view older = {}) {
  return {{{name, "attention.layer_norm_epsilon",
            Positive{member<&Decoder::norm_epsilon>, otherwise}, Unsaid::refused, older}}};
}
constexpr OneField activation(std::string_view otherwise = "silu",
                              std::string_view name = "hidden_act", std::string_view older = {}) {
  return {{{name, "", ActivationWord{otherwise}, Unsaid::left, older}}};
}
// Of these GGUF tells by the tensors it has.
constexpr OneField tied(bool otherwise = false) {
  return {{{"tie_word_embeddings", "", Flag{member<&Decoder::tied>, otherwise}}}};
}
constexpr OneField attention_biases(bool otherwise = false) {
  return {{{"attention_bias", "", Flag{member<&Decoder::attention_bias>, otherwise}}}};
}
constexpr OneField mlp_biases() { return {{{"mlp_bias", "", Flag{member<&Decoder::mlp_bias>}}}}; }

/// Null or absent: none.
inline constexpr OneField kWindow = {
    {{"sliding_window", "",
      Count{{[](const Decoder& d) { return d.window().value_or(0); },
             [](Decoder& d, std::int64_t n) {
               if (n > 0) d.every.window = n;
             }},
            whole<kMostContext>,
            whole<0>},
      Unsaid::left, "", true}}};

/// What scores are divided by the root of.
inline constexpr OneField kQueryScalar = {
    {{"query_pre_attn_scalar", "",
      Positive{{[](const Decoder& d) {
                  const double scalar = 1 / (d.attention_scale * d.attention_scale);
                  const double rounded = std::round(scalar);  // as in every published model
                  return 1 / std::sqrt(rounded) == d.attention_scale ? rounded : scalar;
                },
                [](Decoder& d, double scalar) { d.attention_scale = 1 / std::sqrt(scalar); }},
               256,
               true}}}};

// Experts.

/// In every layer, and as wide as the one MLP, unless other fields say otherwise.
constexpr OneField experts(std::string_view name, std::string_view older = {},
                           Size otherwise = nullptr, std::int64_t least = 1) {
  return {{{name, "expert_count",
            Count{{member<&Decoder::experts, &Experts::count>.get,
                   [](Decoder& d, std::int64_t n) {
                     d.experts.count = n;
                     d.experts.ffn = d.ffn;
                     d.every.experts = true;
                   }},
                  whole<kMostExperts>,
                  otherwise,
                  least},
            Unsaid::refused, older}}};
}
constexpr OneField chosen_experts(Size otherwise = nullptr, std::string_view older = {}) {
  return {{{"num_experts_per_tok", "expert_used_count",
            Count{member<&Decoder::experts, &Experts::chosen>,
                  member<&Decoder::experts, &Experts::count>.get, otherwise},
            Unsaid::refused, older}}};
}
constexpr OneField expert_ffn(std::string_view name = {}) {
  return {{{name, "expert_feed_forward_length",
            Count{member<&Decoder::experts, &Experts::ffn>, whole<kMostFfn>}, Unsaid::left}}};
}
/// Layers with one MLP before those with experts.
constexpr OneField dense_layers(std::string_view name, Size otherwise) {
  return {{{name, "leading_dense_block_count",
            Count{{[](const Decoder& d) {
                     std::int64_t dense = 0;
                     while (dense < d.layers && !d.layer(dense).experts) ++dense;
                     return dense;
                   },
                   [](Decoder& d, std::int64_t dense) {
                     set_experts(d, [&](std::int64_t layer) { return layer >= dense; });
                   }},
                  whole<kMostLayers>,
                  otherwise,
                  0},
            Unsaid::left}}};
}
/// As wide together as so many experts.
constexpr OneField shared_experts(std::string_view name) {
  return {{{name, "expert_shared_count",
            Count{{[](const Decoder& d) {
                     return d.experts.shared_ffn == 0 ? 0 : d.experts.shared_ffn / d.experts.ffn;
                   },
                   [](Decoder& d, std::int64_t n) { d.experts.shared_ffn = n * d.experts.ffn; }},
                  whole<kMostExperts>,
                  whole<1>,
                  0}}}};
}
/// llama.cpp's LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID.
inline constexpr OneField kSigmoid = {
    {{"", "expert_gating_func", Only{2, "2 (sigmoid)"}, Unsaid::left}}};
inline constexpr OneField kExpertScale = {
    {{"routed_scaling_factor", "expert_weights_scale",
      Positive{member<&Decoder::experts, &Experts::scale>, 1}, Unsaid::left}}};
constexpr Field expert_groups(std::string_view name, std::string_view gguf,
                              Member<std::int64_t> groups, Size most) {
  return {name, gguf, Count{groups, most, whole<1>}, Unsaid::left, "", false, [](const Decoder& d) {
            return d.experts.groups > 1;
          }};
}
inline constexpr std::array kExpertGroups = {
    expert_groups("n_group", "expert_group_count", member<&Decoder::experts, &Experts::groups>,
                  member<&Decoder::experts, &Experts::count>.get),
    expert_groups("topk_group", "expert_group_used_count",
                  member<&Decoder::experts, &Experts::used_groups>,
                  member<&Decoder::experts, &Experts::groups>.get)};
/// gguf: empty where llama.cpp's graph has it one way.
constexpr OneField renormalized(std::string_view gguf, bool otherwise) {
  return {{{"norm_topk_prob", gguf,
            Flag{member<&Decoder::experts, &Experts::renormalized>, otherwise}, Unsaid::left}}};
}

}  // namespace zp::usual
