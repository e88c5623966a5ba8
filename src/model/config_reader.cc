#include "model/config_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "model/unread_kinds.h"

namespace zp {
namespace {

// What transformers writes into any config.json, or once wrote, and no decoder's computation
// depends on: provenance, training, generation defaults, token ids (the tokenizer and
// generation_config.json have those).
constexpr std::string_view kWithoutInfluence[] = {
    "architectures",
    "attention_dropout",
    "attn_implementation",
    "attn_pdrop",
    "auto_map",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "bos_token_ids",
    "cache_implementation",
    "cls_token_id",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "embd_pdrop",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "eos_token_ids",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "hidden_dropout",
    "id2label",
    "initializer_range",
    "label2id",
    "length_penalty",
    "max_length",
    "max_new_tokens",
    "min_length",
    "min_new_tokens",
    "min_p",
    "model_type",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_past",
    "output_scores",
    "pad_token_id",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "renormalize_logits",
    "repetition_penalty",
    "resid_pdrop",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "stop_strings",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
    "use_return_dict",
    "xla_device",
};
// What transformers keeps for itself: _name_or_path, _num_labels, _attn_implementation ...
constexpr std::string_view kPrivate = "_";

constexpr FixedField kFixed[] = {
    {"add_cross_attention", "false"}, {"chunk_size_feed_forward", "0"}, {"is_decoder", "false"},
    {"is_encoder_decoder", "false"},  {"pruned_heads", "{}"},
};

struct ActivationName {
  std::string_view name;
  Activation activation;
};
constexpr std::array kActivations = {
    ActivationName{"silu", Activation::silu},
    ActivationName{"swish", Activation::silu},
    ActivationName{"gelu", Activation::gelu_erf},
    ActivationName{"gelu_new", Activation::gelu_tanh},
    ActivationName{"gelu_pytorch_tanh", Activation::gelu_tanh},
    ActivationName{"relu2", Activation::squared_relu},
};

bool contains(std::span<const std::string_view> names, std::string_view key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

}  // namespace

void ConfigReader::refuse(std::string_view key, const std::string& what,
                          const std::string& expected) const {
  const Json* value = object_.find(key);
  throw Error(where() + ": \"" + std::string(key) + "\"", what, expected,
              value == nullptr ? std::string() : value->dump_ascii());
}

bool ConfigReader::has(std::string_view key) {
  mark_known(key);
  return fields_.has(key);
}

bool ConfigReader::mentions(std::string_view key) {
  mark_known(key);
  return object_.contains(key);
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  mark_known(key);
  const std::int64_t n = fields_.integer(key);
  if (n < least || n > most) {
    refuse(key, "out of range", std::to_string(least) + " to " + std::to_string(most));
  }
  return n;
}

std::int64_t ConfigReader::count(std::string_view key, std::int64_t limit) {
  return integer(key, 1, limit);
}

std::int64_t ConfigReader::count(std::string_view key, std::int64_t limit, std::int64_t otherwise) {
  return has(key) ? integer(key, 1, limit) : otherwise;
}

double ConfigReader::positive(std::string_view key) {
  mark_known(key);
  const double x = fields_.real(key);
  if (!std::isfinite(x) || !(x > 0)) refuse(key, "out of range", "a number above 0");
  return x;
}

double ConfigReader::positive(std::string_view key, double otherwise) {
  return has(key) ? positive(key) : otherwise;
}

bool ConfigReader::boolean(std::string_view key, bool otherwise) {
  mark_known(key);
  return fields_.boolean(key, otherwise);
}

std::string ConfigReader::text(std::string_view key, std::string_view otherwise) {
  mark_known(key);
  return fields_.text(key, otherwise);
}

Activation ConfigReader::activation(std::string_view key, std::string_view otherwise) {
  const std::string name = text(key, otherwise);
  std::string known;
  for (const ActivationName& a : kActivations) {
    if (a.name == name) return a.activation;
    known += (known.empty() ? "" : ", ") + std::string(a.name);
  }
  refuse(key, "activation not supported", known);
}

std::vector<float> ConfigReader::positives(std::string_view key, std::size_t length) {
  const Json& list = at(key);
  if (!list.is_array() || list.size() != length) {
    refuse(key, "wrong length", "a list of " + std::to_string(length) + " numbers");
  }
  std::vector<float> values;
  for (const Json& item : list) {
    const double x = item.is_number() ? item.get<double>() : 0;
    if (!std::isfinite(x) || !(static_cast<float>(x) > 0))
      refuse(key, "out of range", "numbers above 0");
    values.push_back(static_cast<float>(x));
  }
  return values;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) {
  const Json& list = at(key);
  std::vector<std::string> values;
  if (!list.is_array()) refuse(key, "wrong type", "a list of strings");
  for (const Json& item : list) {
    if (!item.is_string()) refuse(key, "wrong type", "a list of strings");
    values.push_back(item.get<std::string>());
  }
  return values;
}

std::vector<std::int64_t> ConfigReader::indices(std::string_view key, std::int64_t end) {
  std::vector<std::int64_t> values;
  if (!has(key)) return values;
  const Json& list = at(key);
  if (!list.is_array()) refuse(key, "wrong type", "a list of integers");
  for (const Json& item : list) {
    const bool fits =
        item.is_number_integer() && item.get<std::int64_t>() >= 0 && item.get<std::int64_t>() < end;
    if (!fits) refuse(key, "out of range", "integers from 0 to " + std::to_string(end - 1));
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

const Json& ConfigReader::at(std::string_view key) {
  mark_known(key);
  return fields_.at(key);
}

std::string_view ConfigReader::either(std::string_view name, std::string_view older) {
  const bool newer_given = has(name);
  const bool older_given = has(older);
  if (newer_given && older_given && at(name) != at(older)) {
    refuse(older, "differs from \"" + std::string(name) + "\"", at(name).dump_ascii());
  }
  return older_given ? older : name;
}

void ConfigReader::require(std::span<const FixedField> fixed, std::string_view architecture) {
  for (const FixedField& only : fixed) {
    if (has(only.name) && at(only.name) != parse_json(only.value, std::string(only.name))) {
      refuse(only.name, "value not supported in architecture " + std::string(architecture),
             std::string(only.value));
    }
  }
}

void ConfigReader::finish(std::string_view architecture,
                          std::span<const std::string_view> without_influence) {
  require(kFixed, architecture);
  for (const auto& [key, value] : object_.items()) {
    if (value.is_null() || known_.contains(key) || key.starts_with(kPrivate)) continue;
    if (contains(kWithoutInfluence, key) || contains(without_influence, key)) continue;
    const std::string_view kind = unread_kind_of(key);
    refuse(key, "field not known in architecture " + std::string(architecture) +
                    (kind.empty() ? "" : ": " + std::string(kind)));
  }
}

void read_layer_types(ConfigReader& fields, Decoder& d, std::int64_t window, std::int64_t period) {
  constexpr std::string_view kTypes = "layer_types";
  if (!fields.has(kTypes)) {
    set_windows(d, window, [&](std::int64_t layer) { return !ends_period(layer, period); });
    return;
  }
  const std::vector<std::string> types = fields.texts(kTypes);
  if (std::ssize(types) != d.layers)
    fields.refuse(kTypes, "wrong length",
                  "one for each of " + std::to_string(d.layers) + " layers");
  for (const std::string& type : types) {
    if (type != "sliding_attention" && type != "full_attention")
      fields.refuse(kTypes, "kind of layer not known", "sliding_attention or full_attention");
  }
  set_windows(d, window, [&](std::int64_t layer) {
    return types[static_cast<std::size_t>(layer)] == "sliding_attention";
  });
}

void read_window_layers(ConfigReader& fields, Decoder& d) {
  const std::int64_t window = fields.count("sliding_window", kMostContext, 0);
  const bool used = fields.boolean("use_sliding_window", false) && window > 0;
  constexpr std::int64_t kDefault = 28;  // transformers'
  const std::int64_t stated = fields.has("max_window_layers")
                                  ? fields.integer("max_window_layers", 0, kMostContext)
                                  : kDefault;
  const std::int64_t first = used ? std::min(stated, d.layers) : d.layers;
  if (fields.has("layer_types")) {
    const std::vector<std::string> types = fields.texts("layer_types");
    bool fits = std::ssize(types) == d.layers;
    for (std::int64_t i = 0; fits && i < d.layers; ++i) {
      fits = types[static_cast<std::size_t>(i)] ==
             (i < first ? "full_attention" : "sliding_attention");
    }
    if (!fits)
      fields.refuse("layer_types", "doesn't follow from max_window_layers and use_sliding_window");
  }
  if (first < d.layers) set_windows(d, window, [&](std::int64_t layer) { return layer >= first; });
}

}  // namespace zp
