// Hunyuan (dense): Llama with an RMS norm over each head of q and k behind the rotation, whose base
// a fixed `alpha` stretches: theta alpha^(n / (n - 2)) for heads of n. Source: transformers
// models/hunyuan_v1_dense. Biases on the attention are not supported: no published model has them.

#include <cmath>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_writer.h"
#include "model/rope_config.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"HunYuanDenseV1ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"HunYuanDenseV1Model"};
constexpr std::string_view kModelTypes[] = {"hunyuan_v1_dense"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
// Ids of tokens, what is for training, and what only models with experts or shared layers read.
constexpr std::string_view kWithoutInfluence[] = {
    "attention_head_dim", "cla_share_factor", "class_num",     "dense_list",
    "eod_token_id",       "im_end_id",        "im_newline_id", "im_start_id",
    "mask_init_id",       "org_vocab_size",   "pad_id",        "pool_type",
    "pretraining_tp",     "text_end_id",      "text_start_id"};
constexpr FixedField kFixed[] = {{"add_classification_head", "false"},
                                 {"attention_bias", "false"},
                                 {"mlp_bias", "false"},
                                 {"norm_type", "\"rms\""},
                                 {"use_cla", "false"},
                                 {"use_qk_norm", "true"},
                                 {"use_rotary_pos_emb", "true"}};
// Beside alpha, where it is there.
constexpr std::string_view kRopeWithoutInfluence[] = {"beta_fast", "beta_slow", "factor", "mscale",
                                                      "mscale_all_dim"};

// clang-format off
constexpr std::array kAttention = {
    TensorRow{Role::query, Part::weight, "model.layers.{}.self_attn.q_proj", "blk.{}.attn_q", "", Dim::query, Dim::hidden},
    TensorRow{Role::query_norm, Part::weight, "model.layers.{}.self_attn.query_layernorm", "blk.{}.attn_q_norm", "", Dim::one, Dim::head},
    TensorRow{Role::key, Part::weight, "model.layers.{}.self_attn.k_proj", "blk.{}.attn_k", "", Dim::key, Dim::hidden},
    TensorRow{Role::key_norm, Part::weight, "model.layers.{}.self_attn.key_layernorm", "blk.{}.attn_k_norm", "", Dim::one, Dim::head},
    TensorRow{Role::value, Part::weight, "model.layers.{}.self_attn.v_proj", "blk.{}.attn_v", "", Dim::key, Dim::hidden},
    TensorRow{Role::attention_output, Part::weight, "model.layers.{}.self_attn.o_proj", "blk.{}.attn_output", "", Dim::hidden, Dim::query},
};
// clang-format on

constexpr auto kTable = usual::table_of(usual::kEmbedding, usual::kAttentionNorm, kAttention,
                                        usual::kFfnNorm, usual::kGatedMlp, usual::kHead);

// Models name it "dynamic", but with alpha nothing depends on a sequence's length.
Rope stretched(ConfigReader& fields, const Decoder& d) {
  const std::string_view key = fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (!fields.has(key) || !fields.at(key).is_object()) return read_rope(fields, d);
  ConfigReader inner(fields.at(key), fields.where() + ": rope");
  if (!inner.has("alpha")) return read_rope(fields, d);
  const std::string_view kind = inner.either("rope_type", "type");
  if (inner.text(kind, "") != "dynamic") inner.refuse(kind, "value not supported", "\"dynamic\"");
  Rope rope;
  rope.dims = d.head_dim;
  rope.original_context = d.context;
  const double theta = fields.positive("rope_theta", 10000);
  const auto dims = static_cast<double>(rope.dims);
  rope.theta =
      inner.positive("rope_theta", theta) * std::pow(inner.positive("alpha"), dims / (dims - 2));
  inner.finish(d.architecture, kRopeWithoutInfluence);
  return rope;
}

void read_stretched(ConfigReader& fields, Decoder& d) { d.rope = stretched(fields, d); }

constexpr auto kFields =
    usual::table_of(usual::kSizes, usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-5),
                    usual::activation(), usual::tied());

void fix(Decoder& d) { d.norm_rotated = true; }

void write_stretched(const Decoder& d, Json& config) { write_rope(d, {}, config); }

}  // namespace

extern constinit const Architecture architecture_hunyuan = {
    .name = "hunyuan",
    .summary = "Hunyuan without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_stretched, write_stretched},
    .fix = fix,
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "hunyuan-dense", .computes = {.scalings = kFormulas, .usual_betas = true}},
    .mlx = {.model_types = kModelTypes, .computes = {}},
};

}  // namespace zp
