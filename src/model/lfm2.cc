// LFM2, LFM2.5: layers with a short convolution, and among them some with attention, which has RMS
// norms over each head. The size of the MLPs follows from the one that is stated. Source:
// transformers models/lfm2.
#include "base/checked.h"
#include "base/json.h"
#include "model/architecture.h"
#include "model/lfm2_parts.h"

namespace zp {
namespace {

constexpr std::string_view kClasses[] = {"Lfm2ForCausalLM"};
constexpr std::string_view kInnerClasses[] = {"Lfm2Model"};
constexpr std::string_view kModelTypes[] = {"lfm2"};
constexpr const char* kInner = "block_ff_dim";
constexpr const char* kAdjusted = "block_auto_adjust_ff_dim";
constexpr const char* kMultiple = "block_multiple_of";
constexpr const char* kMultiplier = "block_ffn_dim_multiplier";
constexpr std::int64_t kUsualMultiple = 256;
constexpr std::string_view kMlxFields[] = {"norm_eps",  "conv_bias", "conv_L_cache", "layer_types",
                                           "block_dim", kMultiple,   kMultiplier};
constexpr std::string_view kMlxRespelled[] = {"intermediate_size", kInner, kAdjusted};

constexpr std::array kMlp = {
    TensorRow{Role::gate, Part::weight, "model.layers.{}.feed_forward.w1", "blk.{}.ffn_gate", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::up, Part::weight, "model.layers.{}.feed_forward.w3", "blk.{}.ffn_up", "",
              Dim::ffn, Dim::hidden},
    TensorRow{Role::down, Part::weight, "model.layers.{}.feed_forward.w2", "blk.{}.ffn_down", "",
              Dim::hidden, Dim::ffn},
};

constexpr auto kTable = usual::table_of(usual::kEmbedding, lfm2::kMixers, kMlp, lfm2::kHead);

// Two thirds of what is stated, times a multiplier, up to a multiple.
std::int64_t adjusted(ConfigReader& fields, std::int64_t stated) {
  const bool adjusts = fields.boolean(kAdjusted, true);
  const double multiplier = fields.positive(kMultiplier, 1);
  const std::int64_t multiple = fields.count(kMultiple, kMostFfn, kUsualMultiple);
  if (!adjusts) return stated;
  const std::int64_t two_thirds = 2 * stated / 3;
  const double least = multiplier * static_cast<double>(two_thirds);
  if (least > static_cast<double>(kMostFfn))
    fields.refuse(kMultiplier, "MLPs too large", std::to_string(kMostFfn));
  const std::int64_t size = round_up(static_cast<std::int64_t>(least), multiple);
  if (size < 1 || size > kMostFfn)
    fields.refuse(kMultiple, "MLPs too large or empty", "1 to " + std::to_string(kMostFfn));
  return size;
}

constexpr auto kFields =
    usual::table_of(std::array{usual::vocabulary(), usual::context(), usual::hidden(),
                               usual::layers(), usual::ffn("intermediate_size", kInner)},
                    lfm2::kFields);

void read_more(ConfigReader& fields, Decoder& d) {
  lfm2::read(fields, d);
  d.ffn = adjusted(fields, d.ffn);
}

void write_more(const Decoder& d, Json& config) {
  lfm2::write(d, config);
  config["block_dim"] = d.hidden;
  config[kInner] = d.ffn;
  config[kAdjusted] = false;
  config[kMultiple] = kUsualMultiple;
  config[kMultiplier] = 1.0;
}

}  // namespace

extern constinit const Architecture architecture_lfm2 = {
    .name = "lfm2",
    .summary = "LFM2, LFM2.5 without experts",
    .hf_classes = kClasses,
    .inner_classes = kInnerClasses,
    .model_types = kModelTypes,
    .fields = kFields,
    .more = {read_more, write_more},
    .rope = lfm2::kRope,
    .fixed_fields = lfm2::kFixed,
    .without_influence = lfm2::kWithoutInfluence,
    .table = kTable,
    .optional_prefix = "model.",
    .ignored = lfm2::kIgnored,
    .gguf = {.name = "lfm2",
             .computes = {.scalings = kFormulas,
                          .usual_betas = true,
                          .even_heads = true,
                          .no_biases = true}},
    .mlx = {.model_types = kModelTypes,
            .computes = {.tied = true, .even_heads = true},
            .fields = kMlxFields,
            .respelled = kMlxRespelled},
};

}  // namespace zp
