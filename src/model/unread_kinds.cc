#include "model/unread_kinds.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace zp {
namespace {

struct KindField {
  std::string_view field;
  std::string_view kind;
};

constexpr std::string_view kExperts = "a mixture of experts";
constexpr std::string_view kVision = "a model that sees images";
constexpr std::string_view kAudio = "a model that hears";
constexpr std::string_view kStates = "a state-space model";
constexpr std::string_view kEncoder = "an encoder with a decoder";

// The first that a config has names its kind: text_config alone says least.
constexpr std::array kKindFields = {
    KindField{"vision_config", kVision},
    KindField{"vision_tower", kVision},
    KindField{"mm_vision_tower", kVision},
    KindField{"image_token_id", kVision},
    KindField{"audio_config", kAudio},
    KindField{"num_local_experts", kExperts},
    KindField{"num_experts", kExperts},
    KindField{"n_routed_experts", kExperts},
    KindField{"moe_intermediate_size", kExperts},
    KindField{"moe_num_experts", kExperts},
    KindField{"num_experts_per_tok", kExperts},
    KindField{"ssm_cfg", kStates},
    KindField{"ssm_state_size", kStates},
    KindField{"state_size", kStates},
    KindField{"mamba_d_state", kStates},
    KindField{"is_encoder_decoder", kEncoder},
    KindField{"num_decoder_layers", kEncoder},
    KindField{"text_config", "a model of several parts"},
};

bool says_nothing(const Json& value) {
  return value.is_null() || value == Json(false) || value == Json(0) || value == Json("") ||
         (value.is_structured() && value.empty());
}

}  // namespace

std::string_view unread_kind_of(std::string_view field) {
  const auto found = std::find_if(kKindFields.begin(), kKindFields.end(),
                                  [&](const KindField& k) { return k.field == field; });
  return found == kKindFields.end() ? std::string_view() : found->kind;
}

std::string_view unread_kind_in(const Json& config) {
  for (const KindField& k : kKindFields) {
    const auto found = config.find(k.field);
    if (found != config.end() && !says_nothing(*found)) return k.kind;
  }
  return {};
}

}  // namespace zp
