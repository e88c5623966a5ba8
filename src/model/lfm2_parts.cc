#include "model/lfm2_parts.h"

#include "base/json.h"

namespace zp::lfm2 {
namespace {

constexpr const char* kTypes = "layer_types";
constexpr const char* kConv = "conv";
constexpr const char* kAttention = "full_attention";

std::vector<bool> attends_by_types(ConfigReader& fields, const Decoder& d) {
  std::vector<bool> attends;
  for (const std::string& type : fields.texts(kTypes)) {
    if (type != kConv && type != kAttention)
      fields.refuse(kTypes, "kind of layer not known", "conv or full_attention");
    attends.push_back(type == kAttention);
  }
  if (std::ssize(attends) != d.layers)
    fields.refuse(kTypes, "wrong length",
                  "one for each of " + std::to_string(d.layers) + " layers");
  return attends;
}

// layer_types, or full_attn_idxs, the layers with attention; where both are there they say the same.
void read_mixers(ConfigReader& fields, Decoder& d) {
  constexpr const char* kIndices = "full_attn_idxs";
  std::vector<bool> attends(static_cast<std::size_t>(d.layers));
  for (const std::int64_t i : fields.indices(kIndices, d.layers))
    attends[static_cast<std::size_t>(i)] = true;
  if (fields.has(kTypes)) {
    const std::vector<bool> by_types = attends_by_types(fields, d);
    if (fields.has(kIndices) && attends != by_types)
      fields.refuse(kIndices, "differs from \"layer_types\"", fields.at(kTypes).dump_ascii());
    attends = by_types;
  }
  const std::int64_t count = std::ranges::count(attends, true);
  if (count == 0 || count == d.layers)
    fields.refuse(kTypes, "not layers of both kinds", "conv and full_attention");
  set_layers(d, [&](std::int64_t i, Layer& layer) {
    if (!attends[static_cast<std::size_t>(i)]) layer.mixer = Mixer::short_convolution;
  });
}

// Sizes that other fields say, too.
void check_sizes(ConfigReader& fields, const Decoder& d) {
  for (const char* key : {"block_dim", "conv_dim", "conv_dim_out"}) {
    if (fields.count(key, kMostHidden, d.hidden) != d.hidden)
      fields.refuse(key, "differs from \"hidden_size\"", std::to_string(d.hidden));
  }
  if (fields.count("num_heads", kMostHeads, d.heads) != d.heads)
    fields.refuse("num_heads", "differs from \"num_attention_heads\"", std::to_string(d.heads));
}

}  // namespace

void read(ConfigReader& fields, Decoder& d) {
  check_sizes(fields, d);
  read_mixers(fields, d);
  d.tied = fields.boolean("tie_embedding", fields.boolean("tie_word_embeddings", true));
}

void write(const Decoder& d, Json& config) {
  Json types = Json::array();
  for (std::int64_t i = 0; i < d.layers; ++i)
    types.push_back(d.layer(i).mixer == Mixer::attention ? kAttention : kConv);
  config[kTypes] = std::move(types);
  config["tie_word_embeddings"] = d.tied;
}

}  // namespace zp::lfm2
