#include "container/agreement.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/config_writer.h"
#include "number/half.h"

namespace zp {
namespace {

bool same(double a, double b) { return static_cast<float>(a) == static_cast<float>(b); }

/// GGUF's stated divisors are longrope with one set of factors in config.json's words.
bool by_factors(const Rope& rope) {
  return rope.scaling == RopeScaling::longrope || rope.scaling == RopeScaling::stated;
}

/// Tokens up to which the model takes the short factors where they are others than the long ones.
std::int64_t short_tokens(const Decoder& d) {
  const Rope& rope = d.rope;
  const bool one = rope.short_factor == rope.long_factor && rope.long_attention_factor == 0;
  if (rope.scaling != RopeScaling::longrope || one) return 0;
  return std::min(rope.original_context, d.context);
}

double attention_scale(const Decoder& d) {
  return d.attention_scale > 0 ? d.attention_scale : natural_attention_scale(d);
}

// Forms of one function: each stands for the other, with a note.
bool is_gelu(Activation activation) {
  return activation == Activation::gelu_tanh || activation == Activation::gelu_erf;
}

void refuse_activation(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  const bool gelu = is_gelu(d.activation) && is_gelu(module.activation);
  if (d.activation != module.activation && !gelu) throw Error(where, "computes another activation");
}

void refuse_scaling(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  const RopeScaling scaling = d.rope.scaling;
  if (module.needs_scaling && scaling == RopeScaling::none)
    throw Error(where, "always has a rope scaling; the model has none");
  if (d.rope.dims == 0 || scaling == RopeScaling::none) return;
  if (std::ranges::find(module.scalings, scaling) == module.scalings.end())
    throw Error(where, "has no rope scaling of this kind", {}, std::string(scaling_word(scaling)));
  const Rope usual;
  const bool betas = d.rope.beta_fast == usual.beta_fast && d.rope.beta_slow == usual.beta_slow;
  if (scaling == RopeScaling::yarn && module.usual_betas && !betas)
    throw Error(where, "has YaRN with beta_fast 32 and beta_slow 1 only");
  if (scaling == RopeScaling::yarn && module.sharpens &&
      (d.rope.sharpening == 0 || !same(d.rope.attention_factor, 1)))
    throw Error(where, "has YaRN with mscale as large as mscale_all_dim only");
}

void refuse_sizes(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  if (module.even_heads && d.head_dim * d.heads != d.hidden)
    throw Error(where, "has heads of one size only", std::to_string(d.hidden / d.heads),
                std::to_string(d.head_dim));
  if (module.fourfold_ffn && d.ffn != 4 * d.hidden)
    throw Error(where, "has MLPs of one width only", std::to_string(4 * d.hidden),
                std::to_string(d.ffn));
  if (module.tied && !d.tied)
    throw Error(where, "takes the embedding for the head; the model has a head of its own");
  if (module.untied && d.tied)
    throw Error(where, "wants a head of its own; the model's is the embedding");
}

void refuse_attention(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  if (module.attention_scale != nullptr && !same(attention_scale(d), module.attention_scale(d)))
    throw Error(where, "multiplies scores by another factor",
                std::to_string(module.attention_scale(d)), std::to_string(attention_scale(d)));
  const bool taken =
      std::ranges::find(module.input_queries, d.layers) != module.input_queries.end();
  if (!module.input_queries.empty() && d.latent.rank > 0 && taken != (d.latent.query_rank == 0))
    throw Error(
        where, "tells by the number of layers whether queries come of the input, not of a vector",
        fmt::format("{} layers where they do only", fmt::join(module.input_queries, " or ")),
        std::to_string(d.layers));
  if (module.needs_caps && (d.attention_soft_cap <= 0 || d.logit_soft_cap <= 0))
    throw Error(where, "always has both soft caps; the model does not");
  if (module.needs_logit_cap && d.logit_soft_cap <= 0)
    throw Error(where, "always has a soft cap on logits; the model has none");
  if (module.needs_window && !d.window())
    throw Error(where, "always has a window; the model has none");
  if (module.needs_full_layer && d.every.window && d.rows.empty())
    throw Error(where, "always has a layer without a window; the model has none");
}

void refuse_biases(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  if (module.no_biases && (d.attention_bias || d.mlp_bias || d.conv_bias))
    throw Error(where, "has no biases; the model has");
  if (module.needs_biases && !(d.attention_bias && d.head_bias))
    throw Error(where, "always has biases on attention and the head; the model does not");
}

bool reads_last_keys(const Decoder& d) {
  std::int64_t own = 0;
  while (own < d.layers && !d.layer(own).keys_of) ++own;
  for (std::int64_t i = own; i < d.layers; ++i) {
    if (d.layer(i).keys_of != own - (d.layer(i).window ? 2 : 1)) return false;
  }
  return true;
}

void refuse_layers(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  const auto each = [&](std::int64_t period, auto is_another) {
    for (std::int64_t i = 0; i < d.layers; ++i) {
      if (is_another(d.layer(i)) != ends_period(i, period)) return false;
    }
    return true;
  };
  const auto every = [](std::int64_t period) {
    return fmt::format("in every {} layers the last", period);
  };
  const auto sees_all = [](const Layer& layer) { return !layer.window; };
  if (module.window_period != 0 && d.window() && !each(module.window_period, sees_all))
    throw Error(where, "has layers without a window elsewhere", every(module.window_period));
  if (module.regular_windows && !window_period(d))
    throw Error(where, "has layers without a window in turns only");
  if (module.regular_attention && !attention_period(d))
    throw Error(where, "has layers with attention in turns only");
  if (module.last_keys && !reads_last_keys(d))
    throw Error(
        where,
        "has layers that share keys with the last two of their own only, the first of these "
        "with a window");
  if (module.one_vocabulary && d.layer_columns > 0 && d.layer_vocabulary != d.vocabulary)
    throw Error(where, "has a part of layers for each token only", std::to_string(d.vocabulary),
                std::to_string(d.layer_vocabulary));
  if (module.one_delta_size && d.delta.key_dim != d.delta.value_dim)
    throw Error(where, "has linear attention with keys and values of one size only",
                std::to_string(d.delta.key_dim), std::to_string(d.delta.value_dim));
  const StateSpace unlimited;
  if (module.endless_steps &&
      (d.space.least_step != unlimited.least_step || d.space.most_step != unlimited.most_step))
    throw Error(where, "has no limits of a state space's time steps; the model has");
  if (module.needs_conv_bias && d.space.heads > 0 && !d.conv_bias)
    throw Error(where, "adds a bias behind a state space's convolution; the model has none");
  if (module.one_norm_part && d.space.normed && d.space.groups > 1)
    throw Error(where, "norms a state space's heads at once; the model norms those of each group");
  if (module.one_theta && d.has(RopeKind::local) && !same(d.local_rope.theta, d.rope.theta))
    throw Error(where, "rotates by one base in all layers", fmt::format("{}", d.rope.theta),
                fmt::format("{}", d.local_rope.theta));
  const auto unturned = [](const Layer& layer) { return layer.rope == RopeKind::none; };
  if (module.rope_period != 0 && !each(module.rope_period, unturned))
    throw Error(where, "has layers without a rotary embedding elsewhere",
                every(module.rope_period));
}

std::string embedding_note(const Decoder& d, const RuntimeModule& module,
                           std::string_view runtime) {
  const std::uint16_t code = float_to_bf16(static_cast<float>(d.embedding_scale));
  const double rounded = static_cast<double>(bf16_to_float(code));
  if (!module.rounds_embedding_scale || same(rounded, d.embedding_scale)) return {};
  return fmt::format("{} multiplies the embedding by {}; the model by {:.6g}", runtime, rounded,
                     d.embedding_scale);
}

void refuse_experts(const Decoder& d, const RuntimeModule& module, const std::string& where) {
  if (d.experts.count == 0) return;
  const bool some = std::ranges::any_of(d.rows, [](const Layer& l) { return !l.experts; });
  const auto dense = [](const Layer& l) { return l.feeds && !l.experts; };
  if (module.experts_alone && std::ranges::any_of(d.rows, dense))
    throw Error(where, "has no MLPs in some layers and experts in others; the model has");
  if (module.experts_everywhere && some)
    throw Error(where, "has experts in every layer; some of the model's have one MLP");
  if (module.renormalizes_experts && !d.experts.renormalized)
    throw Error(where,
                "always divides the chosen experts' weights by their sum; the model does not");
  if (!same(d.expert_limit, module.expert_limit))
    throw Error(where, "clamps what experts compute at another limit",
                fmt::format("{}", module.expert_limit), fmt::format("{}", d.expert_limit));
  if (module.no_shared_expert && d.experts.shared_ffn > 0)
    throw Error(where, "takes gate and up of the MLP beside experts as one matrix only");
  if (module.unscaled_experts && d.experts.scale != 1)
    throw Error(where, "doesn't multiply experts' weights", "1",
                fmt::format("{}", d.experts.scale));
  if (module.zeroes_groups && d.experts.renormalized && d.experts.chosen == 1)
    throw Error(where, "divides no weight by itself where one expert is chosen; the model does");
}

std::string norm_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (!module.rms_norms || d.norm == Norm::rms) return {};
  return fmt::format("{} computes RMS norms here; the model's are layer norms", runtime);
}

std::string routing_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (!module.softmax_routing || d.experts.routing == Routing::softmax) return {};
  return fmt::format(
      "{} weights the experts with the highest scores by a softmax; the model chooses and weights "
      "them by {}, which the file can't say",
      runtime, d.experts.routing == Routing::sigmoid ? "sigmoids" : "SparseMixer");
}

std::string groups_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (!module.zeroes_groups || d.experts.groups <= 1) return {};
  return fmt::format(
      "{} gives experts of other groups the score 0 and may choose them; the model never does",
      runtime);
}

std::string speakers_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (!module.two_of_groups || d.experts.groups <= 1 || d.experts.routing == Routing::sigmoid)
    return {};
  return fmt::format(
      "{} chooses experts from the groups whose two best have the highest sum; the model from those "
      "whose best is highest",
      runtime);
}

std::string window_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (module.windows || !d.window() || *d.window() >= d.context) return {};
  std::int64_t layers = 0;
  for (std::int64_t i = 0; i < d.layers; ++i) layers += d.layer(i).window ? 1 : 0;
  if (layers == 0) return {};
  const std::string some =
      layers == d.layers ? "" : fmt::format(" in {} of {} layers", layers, d.layers);
  return fmt::format("{} attends to everything here; the model sees {} tokens{}", runtime,
                     *d.window(), some);
}

std::string gelu_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  if (d.activation != Activation::gelu_erf || module.activation == Activation::gelu_erf) return {};
  return fmt::format("{} computes GELU by its tanh form here; the model's is exact (erf)", runtime);
}

std::string factors_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  const std::int64_t tokens = short_tokens(d);
  const bool all = module.long_factors == LongFactors::always;
  if (tokens == 0 || module.long_factors == LongFactors::by_length) return {};
  if (!all && tokens == d.context) return {};
  const std::string when =
      all ? "at every length"
          : fmt::format("at every length where its context is above {}", tokens);
  return fmt::format(
      "{} takes longrope's long factors {}; the model takes the short ones up to {} tokens",
      runtime, when, tokens);
}

double derived_attention_factor(const Decoder& d) {
  const Rope& rope = d.rope;
  if (rope.scaling == RopeScaling::yarn && rope.factor <= 1) return 1;
  if (!by_factors(rope)) return rope.attention_factor;
  const auto original = static_cast<double>(rope.original_context);
  const double factor = static_cast<double>(d.context) / original;
  return factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original));
}

std::string attention_factor_note(const Decoder& d, const RuntimeModule& module,
                                  std::string_view runtime) {
  const double derived = derived_attention_factor(d);
  if (!module.derives_attention_factor || same(derived, d.rope.attention_factor)) return {};
  return fmt::format("{} multiplies rotated queries and keys by {:.4g}; the model by {:.4g}",
                     runtime, derived, d.rope.attention_factor);
}

// llama.cpp and mlx-lm alike.
std::string ramp_note(const Decoder& d, const RuntimeModule&, std::string_view runtime) {
  if (d.rope.scaling != RopeScaling::yarn || d.rope.truncate) return {};
  return fmt::format(
      "{} begins and ends YaRN's ramp at whole pairs of dimensions; the model doesn't", runtime);
}

// Latent vectors are seldom so short that a smaller one matters.
std::string latent_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  constexpr double kSmall = 1e-5;
  if (!module.norms_latent || d.latent.rank == 0 || d.norm_epsilon <= kSmall) return {};
  return fmt::format("{} norms latent vectors with an epsilon of {:.2g}; the model with {:.2g}",
                     runtime, d.norm_epsilon, d.latent.norm_epsilon);
}

// The model has 1e-6 among the squares, so that both differ for lengths below the larger of the two
// only.
std::string delta_note(const Decoder& d, const RuntimeModule& module, std::string_view runtime) {
  constexpr double kShortest = 1e-3;
  if (!module.norms_delta || d.norm_epsilon <= kShortest) return {};
  return fmt::format(
      "{} divides linear attention's queries and keys by {:.4g} at least, the norms' epsilon; the "
      "model by {:.4g}",
      runtime, d.norm_epsilon, kShortest);
}

std::string one_factor_note(const Decoder& d, const RuntimeModule& module,
                            std::string_view runtime) {
  if (!module.one_attention_factor || d.rope.long_attention_factor == 0) return {};
  return fmt::format(
      "{} multiplies rotated queries and keys by {:.4g} at every length; the model by {:.4g} beyond "
      "{} tokens",
      runtime, d.rope.attention_factor, d.rope.long_attention_factor, short_tokens(d));
}

}  // namespace

std::vector<std::string> runtime_notes(const Decoder& d, const RuntimeModule& module,
                                       std::string_view runtime, const std::string& where) {
  for (const auto refuse : {refuse_activation, refuse_scaling, refuse_sizes, refuse_attention,
                            refuse_biases, refuse_layers, refuse_experts})
    refuse(d, module, where);
  std::vector<std::string> notes;
  for (const auto note : {gelu_note, norm_note, routing_note, groups_note, window_note,
                          embedding_note, factors_note, attention_factor_note, one_factor_note,
                          ramp_note, delta_note, speakers_note, latent_note}) {
    if (std::string line = note(d, module, runtime); !line.empty())
      notes.push_back(std::move(line));
  }
  return notes;
}

}  // namespace zp
