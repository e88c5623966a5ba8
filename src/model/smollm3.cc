// SmolLM3: Llama with layers that have no rotary embedding, every fourth in published models. Source:
// transformers models/smollm3.
#include <fmt/core.h>

#include "base/json.h"
#include "model/architecture.h"
#include "model/config_reader.h"
#include "model/usual_fields.h"
#include "model/usual_rows.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"SmolLM3ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"SmolLM3Model"};
constexpr std::string_view kModelTypes[] = {"smollm3"};
constexpr std::string_view kIgnored[] = {"*rotary_emb.inv_freq"};
constexpr std::string_view kWithoutInfluence[] = {"pretraining_tp", "max_window_layers",
                                                  "sliding_window"};
constexpr FixedField kFixed[] = {{"use_sliding_window", "false"}};
constexpr std::int64_t kPeriod = 4;
constexpr std::string_view kMlxFields[] = {"no_rope_layers", "rope_theta", "rms_norm_eps"};

constexpr auto kTable =
    usual::table_of(usual::kEmbedding, usual::kAttentionNorm, usual::kPairedAttention,
                    usual::kFfnNorm, usual::kBiasedMlp, usual::kHead);

// A 0 for each layer without.
void read_unturned(ConfigReader& fields, Decoder& d) {
  constexpr std::string_view kList = "no_rope_layers";
  const std::int64_t period = fields.count("no_rope_layer_interval", kMostLayers, kPeriod);
  const bool listed = fields.has(kList);
  const Json list = listed ? fields.at(kList) : Json::array();
  if (listed && (!list.is_array() || std::ssize(list) != d.layers))
    fields.refuse(kList, "wrong length", fmt::format("0 or 1 for each of {} layers", d.layers));
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    bool turned = !ends_period(i, period);
    if (listed) {
      const Json& word = list[static_cast<std::size_t>(i)];
      if (word != Json(0) && word != Json(1)) fields.refuse(kList, "value not supported", "0 or 1");
      turned = word == Json(1);
    }
    layer.rope = turned ? RopeKind::global : RopeKind::none;
  });
}

void refuse_windows(ConfigReader& fields) {
  if (!fields.has("layer_types")) return;
  for (const std::string& type : fields.texts("layer_types")) {
    if (type != "full_attention")
      fields.refuse("layer_types", "value not supported", "full_attention");
  }
}

constexpr auto kFields = usual::table_of(
    usual::kSizes, usual::kHeads, usual::head_size(), usual::rms_epsilon(1e-6), usual::activation(),
    usual::tied(true), usual::attention_biases(), usual::mlp_biases());

void read_layers(ConfigReader& fields, Decoder& d) {
  read_unturned(fields, d);
  refuse_windows(fields);
}

void write_layers(const Decoder& d, Json& config) {
  Json turned = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    turned.push_back(d.layer(i).rope == RopeKind::none ? 0 : 1);
  config["no_rope_layers"] = std::move(turned);
  config["pad_token_id"] = nullptr;  // transformers' default is beyond small vocabularies
}

}  // namespace

extern constinit const Architecture architecture_smollm3 = {
    .name = "smollm3",
    .summary = "SmolLM3",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_layers, write_layers},
    .rope = RopeRules{.theta = 2000000},
    .fixed_fields = kFixed,
    .without_influence = kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = kIgnored,
    .gguf = {.name = "smollm3",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .rope_period = kPeriod,
                          .no_biases = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.scalings = kEveryScaling,
                         .long_factors = LongFactors::always,
                         .derives_attention_factor = true},
            .fields = kMlxFields},
};

}  // namespace zp
