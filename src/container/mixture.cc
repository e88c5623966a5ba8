#include "container/mixture.h"

#include <algorithm>

#include "container/container.h"

namespace zp {
namespace {

constexpr std::int64_t kEight = 8;

bool in_layer(const MixtureLine& line, std::int64_t i, std::int64_t count) {
  switch (line.layers) {
    case Layers::all:
      return true;
    case Layers::first:
      return i < line.n;
    case Layers::first_part:
      return i < count / line.n;
    case Layers::inner:
      return i >= count / 8 && i < 7 * count / 8;
    case Layers::outer_third:
      return i < count / 8 || i >= 7 * count / 8 || (i - count / 8) % 3 == 2;
  }
  return false;
}

bool applies(When when, const Decoder& d, bool weighted) {
  constexpr std::int64_t kShared = 4;
  constexpr std::int64_t kMany = 4;
  constexpr std::int64_t kLargeLayers = 80;
  switch (when) {
    case When::always:
      return true;
    case When::shared_keys:
      return d.heads >= kShared * d.kv_heads;
    case When::many_experts:
      return d.experts.count >= kMany;
    case When::large:
      return d.layers == kLargeLayers && d.heads > d.kv_heads;
    case When::weighted:
      return weighted;
    case When::unweighted:
      return !weighted;
  }
  return false;
}

std::string words(const MixtureLine& line) {
  std::string text;
  switch (line.layers) {
    case Layers::all:
      break;
    case Layers::first:
      text = "in the first " + std::to_string(line.n) + " layers";
      break;
    case Layers::first_part:
      text = "in the first 1/" + std::to_string(line.n) + " of the layers";
      break;
    case Layers::inner:
      text = "in all but the outer eighths of the layers";
      break;
    case Layers::outer_third:
      text = "in the outer eighths and every third of the layers";
      break;
  }
  switch (line.when) {
    case When::always:
      return text;
    case When::shared_keys:
      return text + (text.empty() ? "" : ", ") + "where 4 heads or more share a key";
    case When::many_experts:
      return text + (text.empty() ? "" : ", ") + "with 4 experts or more";
    case When::large:
      return text + (text.empty() ? "" : ", ") + "in models of 80 layers with shared keys";
    case When::weighted:
      return text + (text.empty() ? "" : ", ") + "with statistics";
    case When::unweighted:
      return text + (text.empty() ? "" : ", ") + "without statistics";
  }
  return text;
}

/// Those that have weights of the role, which are counted as if there were no others.
std::vector<std::int64_t> layers_with(std::string_view role, const Decoder& d) {
  const bool of_attention = role == "value" || role == "qkv";
  std::vector<std::int64_t> layers;
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (!of_attention || d.layer(i).attends()) layers.push_back(i);
  }
  return layers;
}

/// "layers.0-1.value,layers.5.value" for the line's layers; empty for none.
std::string pattern(const MixtureLine& line, const Decoder& d) {
  std::string all;
  for (std::string_view roles = line.roles; !roles.empty();) {
    const std::string_view role = roles.substr(0, roles.find(','));
    roles.remove_prefix(std::min(roles.size(), role.size() + 1));
    const std::vector<std::int64_t> layers = layers_with(role, d);
    const auto goes = [&](std::size_t i) {
      return in_layer(line, static_cast<std::int64_t>(i), std::ssize(layers));
    };
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (!goes(i)) continue;
      const std::int64_t first = layers[i];
      while (i + 1 < layers.size() && layers[i + 1] == layers[i] + 1 && goes(i + 1)) ++i;
      all += (all.empty() ? "layers." : ",layers.") + std::to_string(first);
      if (layers[i] > first) all += "-" + std::to_string(layers[i]);
      all += "." + std::string(role);
    }
  }
  return all;
}

}  // namespace

const Mixture* find_mixture(std::span<const Mixture> mixtures, std::string_view name) {
  const auto found = std::find_if(mixtures.begin(), mixtures.end(),
                                  [name](const Mixture& m) { return m.name == name; });
  return found == mixtures.end() ? nullptr : &*found;
}

std::vector<Rule> mixture_rules(const Mixture& mixture, const Decoder& decoder, bool weighted) {
  std::vector<Rule> rules;
  const std::string name(mixture.name);
  const auto outside = [&](const char* role, std::string_view grid, const char* why) {
    if (!grid.empty() && grid != mixture.grid)
      rules.push_back({role, std::string(grid), name + ": " + why});
  };
  outside(decoder.tied ? "embedding" : "head", mixture.head,
          decoder.tied ? "the embedding is the head too" : "the head");
  if (!decoder.tied) outside("embedding", mixture.embedding, "the embedding");
  std::vector<MixtureLine> lines;
  if (decoder.experts.count == kEight)
    lines.assign(mixture.of_eight_experts.begin(), mixture.of_eight_experts.end());
  lines.insert(lines.end(), mixture.lines.begin(), mixture.lines.end());
  for (const MixtureLine& line : lines) {
    if (!applies(line.when, decoder, weighted)) continue;
    std::string roles =
        line.layers == Layers::all ? std::string(line.roles) : pattern(line, decoder);
    if (roles.empty()) continue;
    const std::string which = words(line);
    rules.push_back({std::move(roles), std::string(line.grid),
                     name + ": " + std::string(line.roles) + (which.empty() ? "" : " " + which)});
  }
  rules.push_back({"", std::string(mixture.grid), name == mixture.grid ? "asked for" : name});
  return rules;
}

std::string describe(const Mixture& mixture) {
  std::string text(mixture.grid);
  const auto add = [&](const MixtureLine& line, const char* with) {
    const std::string which = words(line);
    text += "; " + std::string(line.roles) + " " + std::string(line.grid) +
            (which.empty() ? "" : " " + which) + with;
  };
  for (const MixtureLine& line : mixture.of_eight_experts) add(line, " with 8 experts");
  for (const MixtureLine& line : mixture.lines) add(line, "");
  if (!mixture.embedding.empty()) text += "; embedding " + std::string(mixture.embedding);
  return mixture.head == mixture.grid ? text : text + "; head " + std::string(mixture.head);
}

}  // namespace zp
