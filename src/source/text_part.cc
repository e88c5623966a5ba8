#include "source/text_part.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/beside.h"

namespace zp {
namespace {

struct Renamed {
  std::string_view from;
  std::string_view to;
};

/// Tensors, by an fnmatch pattern, and what they are.
struct Aside {
  std::string_view pattern;
  std::string_view what;
};

struct TextModel {
  std::string_view type;  ///< its own model_type
  std::string_view hf_class;
};

/// A model of several parts, by its model_type.
struct Parts {
  std::string_view type;
  std::string_view
      text;  ///< where config.json has the text's part; empty: among the others' fields
  std::span<const TextModel> models;
  std::span<const Renamed> renamed;  ///< the first that a name has in it
  std::span<const Aside> aside;
  Names fields = {};  ///< of the other parts, where there is no object of the text's part
};

constexpr Renamed kInside[] = {{"language_model.model.", "model."},
                               {"language_model.lm_head.", "lm_head."},
                               {"model.language_model.", "model."}};
constexpr Aside kTowers[] = {{"*vision_tower.*", "vision tower"},
                             {"*multi_modal_projector.*", "projector"}};
constexpr TextModel kMistral[] = {{"mistral", "MistralForCausalLM"},
                                  {"ministral3", "Ministral3ForCausalLM"},
                                  {"mistral4", "Mistral4ForCausalLM"}};

constexpr TextModel kGemma3[] = {{"gemma3_text", "Gemma3ForCausalLM"}};

constexpr TextModel kGemma4[] = {{"gemma4_text", "Gemma4ForCausalLM"}};
constexpr TextModel kGemma4Unified[] = {{"gemma4_unified_text", "Gemma4UnifiedForCausalLM"}};
constexpr Aside kSeenAndHeard[] = {{"*vision_tower.*", "vision tower"},
                                   {"*vision_embedder.*", "vision embedder"},
                                   {"*embed_vision.*", "projector"},
                                   {"*audio_tower.*", "audio tower"},
                                   {"*embed_audio.*", "projector"}};

constexpr TextModel kQwen35[] = {{"qwen3_5_text", "Qwen3_5ForCausalLM"}};
constexpr TextModel kQwen35Moe[] = {{"qwen3_5_moe_text", "Qwen3_5MoeForCausalLM"}};
constexpr Aside kVisual[] = {{"*vision_tower.*", "vision tower"},
                             {"model.visual.*", "vision tower"}};

constexpr TextModel kPhi3[] = {{"phi3", "Phi3ForCausalLM"}};
constexpr Aside kPhi3Vision[] = {{"model.vision_embed_tokens.*", "vision tower and projector"}};
constexpr std::string_view kPhi3VisionFields[] = {"img_processor", "embd_layer"};
constexpr Renamed kAdapted[] = {{".base_layer.", "."}};
constexpr Aside kPhi4[] = {
    {"*.lora_[AB].vision.*", "LoRA for images"},
    {"*.lora_[AB].speech.*", "LoRA for speech"},
    {"model.embed_tokens_extend.image_embed.*", "vision tower and projector"},
    {"model.embed_tokens_extend.audio_embed.*", "audio tower and projector"}};
constexpr std::string_view kPhi4Fields[] = {"img_processor", "audio_processor", "embd_layer",
                                            "vision_lora",   "speech_lora",     "vision_config",
                                            "audio_config"};

constexpr std::array kAll = {
    Parts{"mistral3", "text_config", kMistral, kInside, kTowers},
    Parts{"gemma3", "text_config", kGemma3, kInside, kTowers},
    Parts{"gemma4", "text_config", kGemma4, kInside, kSeenAndHeard},
    Parts{"gemma4_unified", "text_config", kGemma4Unified, kInside, kSeenAndHeard},
    Parts{"qwen3_5", "text_config", kQwen35, kInside, kVisual},
    Parts{"qwen3_5_moe", "text_config", kQwen35Moe, kInside, kVisual},
    Parts{"phi3_v", "", kPhi3, {}, kPhi3Vision, kPhi3VisionFields},
    Parts{"phi4mm", "", kPhi3, kAdapted, kPhi4, kPhi4Fields},
    Parts{"phi4_multimodal", "", kPhi3, {}, kPhi4, kPhi4Fields},
};

// Said of all parts together, and taken over where the text's part doesn't say it.
constexpr std::array kShared = {"bos_token_id", "eos_token_id", "pad_token_id",
                                "dtype",        "torch_dtype",  "transformers_version"};
constexpr const char* kTied = "tie_word_embeddings";

const Parts* find(const Json& config) {
  if (!config.is_object()) return nullptr;
  const Json type = config.value("model_type", Json());
  const auto found =
      std::ranges::find_if(kAll, [&](const Parts& p) { return type == Json(p.type); });
  return found == kAll.end() ? nullptr : &*found;
}

const TextModel& model_of(const Parts& parts, const Json& text, const std::string& where) {
  const Json type = text.value("model_type", Json());
  std::string known;
  for (const TextModel& m : parts.models) {
    if (type == Json(m.type)) return m;
    known += (known.empty() ? "" : ", ") + std::string(m.type);
  }
  throw Error(where + ": \"" + std::string(parts.text) + "\"", "model_type not supported", known,
              type.dump_ascii());
}

// The text's part is an object of its own.
Json inner_config(const Parts& parts, const Json& config, const std::string& where) {
  Json text = config.value(std::string(parts.text), Json());
  if (!text.is_object()) {
    throw Error(where + ": \"" + std::string(parts.text) + "\"", "missing",
                "an object of the text's part");
  }
  text["architectures"] = {std::string(model_of(parts, text, where).hf_class)};
  for (const char* key : kShared) {
    if (text.value(key, Json()).is_null() && config.contains(key)) text[key] = *config.find(key);
  }
  // transformers ties what the whole says, whatever the part does.
  if (config.contains(kTied)) text[kTied] = *config.find(kTied);
  return text;
}

Json config_of(const Parts& parts, const Json& config, const std::string& where) {
  if (!parts.text.empty()) return inner_config(parts, config, where);
  Json text = config;
  for (const std::string_view key : parts.fields) text.erase(std::string(key));
  text.erase("auto_map");
  text["architectures"] = {std::string(parts.models.front().hf_class)};
  text["model_type"] = std::string(parts.models.front().type);
  return text;
}

std::string renamed(const Parts& parts, std::string name) {
  for (const Renamed& r : parts.renamed) {
    if (const auto at = name.find(r.from); at != name.npos)
      return name.replace(at, r.from.size(), r.to);
  }
  return name;
}

const Aside* aside(const Parts& parts, const std::string& name) {
  const auto found = std::ranges::find_if(parts.aside, [&](const Aside& a) {
    return fnmatch(std::string(a.pattern).c_str(), name.c_str(), 0) == 0;
  });
  return found == parts.aside.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Json> text_config(const Json& config, const std::string& where) {
  const Parts* parts = find(config);
  return parts == nullptr ? std::nullopt : std::optional(config_of(*parts, config, where));
}

void take_text_part(Checkpoint& checkpoint, const std::string& where) {
  const Parts* parts = find(checkpoint.config());
  if (parts == nullptr) return;
  auto whole = std::make_shared<WholeModel>();
  whole->config = std::exchange(checkpoint.config(), config_of(*parts, checkpoint.config(), where));
  std::vector<Tensor> of_text;
  for (Tensor& t : checkpoint.tensors) {
    if (const Aside* other = aside(*parts, t.name)) {
      checkpoint.beside.push_back({other->what, std::move(t)});
    } else {
      std::string name = renamed(*parts, t.name);
      if (!whole->names.emplace(name, t.name).second)
        throw Error(where, "two tensors would have one name in the text's part", {}, name);
      t.name = std::move(name);
      of_text.push_back(std::move(t));
    }
  }
  checkpoint.replace(std::move(of_text));
  checkpoint.whole = std::move(whole);
  if (!checkpoint.beside.empty()) {
    std::vector<BesideTensor> beside;
    for (const OtherTensor& other : checkpoint.beside)
      beside.push_back({other.what, &other.tensor});
    checkpoint.notes.push_back("the text's part is what is computed; beside it: " +
                               beside_words(count_beside(beside)));
  }
  // Defaults of the whole and of its part differ, and so do releases: the stored head tells.
  Json& config = checkpoint.config();
  if (checkpoint.find("lm_head.weight") == nullptr) {
    config[kTied] = true;
  } else if (config.value(kTied, Json()).is_null()) {
    config[kTied] = false;
  }
}

}  // namespace zp
