#include "container/gguf_metadata.h"

#include <algorithm>
#include <cmath>

#include "base/version.h"
#include "container/agreement.h"
#include "container/gguf_tokenizer.h"
#include "format/gguf_phi3_name.h"

namespace zp {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // GGML_QNT_VERSION

/// Collects pairs, most of them under the architecture's name.
class Keys {
 public:
  explicit Keys(std::string_view architecture) : prefix_(std::string(architecture) + ".") {}

  void general(const char* key, gguf::Value value) { pairs_.push_back({key, std::move(value)}); }
  void count(std::string_view key, std::int64_t n) { add(key, static_cast<std::uint32_t>(n)); }
  void flags(std::string_view key, std::vector<bool> all) { add(key, std::move(all)); }
  void counts(std::string_view key, std::vector<std::int32_t> all) { add(key, std::move(all)); }
  void real(std::string_view key, double x) { add(key, static_cast<float>(x)); }
  void boolean(std::string_view key, bool is) { add(key, is); }
  void text(std::string_view key, const char* value) { add(key, std::string(value)); }
  std::vector<gguf::Pair> take() { return std::move(pairs_); }

 private:
  void add(std::string_view key, gguf::Value value) {
    pairs_.push_back({prefix_ + std::string(key), std::move(value)});
  }

  std::string prefix_;
  std::vector<gguf::Pair> pairs_;
};

// llama.cpp multiplies cos and sin by this factor, and for YaRN by 1 + 0.1 ln(factor) besides,
// where that is above 1.
void add_attention_factor(Keys& keys, const Rope& rope) {
  double factor = rope.attention_factor;
  if (rope.scaling == RopeScaling::yarn) factor /= 1 + 0.1 * std::log(std::max(rope.factor, 1.0));
  if (static_cast<float>(factor) != 1) keys.real("rope.scaling.attn_factor", factor);
}

// llama3 has no keys: its frequencies are a tensor (gguf_rows.h).
void add_rope_scaling(Keys& keys, const Rope& rope) {
  switch (rope.scaling) {
    case RopeScaling::none:
    case RopeScaling::llama3:
    case RopeScaling::stated:
      return;
    case RopeScaling::linear:
      keys.text("rope.scaling.type", "linear");
      keys.real("rope.scaling.factor", rope.factor);
      return;
    case RopeScaling::yarn:
      keys.text("rope.scaling.type", "yarn");
      keys.real("rope.scaling.factor", rope.factor);
      break;
    case RopeScaling::longrope:
      keys.text("rope.scaling.type", "longrope");
      break;
  }
  keys.count("rope.scaling.original_context_length", rope.original_context);
  // Of latent attention, where cos and sin stay as they are.
  if (rope.sharpening != 0)
    return keys.real("rope.scaling.yarn_log_multiplier", 0.1 * rope.sharpening);
  add_attention_factor(keys, rope);
}

void add_rope(Keys& keys, const Decoder& d, const GgufFacts& facts) {
  if (d.rope.dims == 0) return;
  keys.count("rope.dimension_count", d.rope.dims);
  keys.real("rope.freq_base", d.rope.theta);
  if (d.has(RopeKind::local) && d.local_rope.theta != facts.local_theta.value_or(d.rope.theta))
    keys.real("rope.freq_base_swa", d.local_rope.theta);
  add_rope_scaling(keys, d.rope);
  if (d.rope.scaling == RopeScaling::yarn && !facts.computes.usual_betas) {
    keys.real("rope.scaling.yarn_beta_fast", d.rope.beta_fast);
    keys.real("rope.scaling.yarn_beta_slow", d.rope.beta_slow);
  }
}

/// Writes the field of that key.
struct Writing {
  Keys& keys;
  const Decoder& d;
  std::string_view key;

  void operator()(const Count& count) const { keys.count(key, count.member.get(d)); }
  void operator()(const Positive& positive) const { keys.real(key, positive.member.get(d)); }
  void operator()(const Flag& flag) const { keys.boolean(key, flag.member.get(d)); }
  void operator()(const ActivationWord&) const {}
  void operator()(const HeadSize&) const {
    if (d.head_dim * d.heads == d.hidden) return;
    keys.count(key, d.head_dim);
    keys.count(kValueLength, d.head_dim);
  }
  void operator()(const LatentHeads&) const {
    keys.count(key, d.head_dim);
    keys.count(kValueLength, d.value_dim);
  }
  void operator()(const KeyHeads&) const {
    std::vector<std::int32_t> heads;
    for (std::int64_t i = 0; i < d.layers; ++i) {
      const bool attends = d.layer(i).attends();
      heads.push_back(static_cast<std::int32_t>(attends ? d.kv_heads : 0));
    }
    keys.counts(key, std::move(heads));
  }
  void operator()(const EachLayer& each) const {
    std::vector<std::int32_t> all;
    for (std::int64_t i = 0; i < d.layers; ++i)
      all.push_back(static_cast<std::int32_t>(each.get(d, i)));
    if (each.flags) return keys.flags(key, {all.begin(), all.end()});
    if (std::ranges::adjacent_find(all, std::not_equal_to()) == all.end())
      return keys.count(key, all.front());
    keys.counts(key, std::move(all));
  }
  void operator()(const RopeSections&) const {
    const auto pairs = static_cast<std::int32_t>(d.rope.dims / 2);
    keys.counts(key, {(pairs + 2) / 3, (pairs + 1) / 3, pairs / 3, 0});
  }
  void operator()(const Only& only) const { keys.count(key, only.value); }
};

std::string graph_of(std::string_view name) {
  return "gguf, llama.cpp's architecture " + std::string(name);
}

bool has_token(const Tokenizer& tokenizer, std::string_view text) {
  return std::any_of(tokenizer.tokens.begin(), tokenizer.tokens.end(),
                     [&](const Token& t) { return t.text == text; });
}

bool can_be_named_phi3(const Tokenizer& tokenizer) {
  for (const char* text : {"<unk>", "<s>", "</s>", "<|endoftext|>"}) {
    if (!has_token(tokenizer, text)) return false;
  }
  return true;
}

bool wants_phi3_name(const Tokenizer* tokenizer) {
  return tokenizer != nullptr && can_be_named_phi3(*tokenizer) &&
         std::any_of(tokenizer->added.begin(), tokenizer->added.end(),
                     [](const AddedToken& t) { return t.rstrip; });
}

}  // namespace

std::string gguf_name(const std::string& name, const Tokenizer* tokenizer) {
  if (wants_phi3_name(tokenizer)) {
    return gguf::find_phi3(name) == std::string::npos ? name + " (Phi-3 tokens)" : name;
  }
  constexpr std::size_t kPhi = 3;
  std::string other = name;
  for (std::size_t at = gguf::find_phi3(other); at != std::string::npos;
       at = gguf::find_phi3(other)) {
    other.replace(at + kPhi, other[at + kPhi] == '-' ? 1 : 0, " ");
  }
  return other;
}

std::vector<gguf::Pair> gguf_metadata(const ContainerInput& input, std::int32_t file_type) {
  const Decoder& d = input.model.decoder;
  const GgufFacts& facts = input.model.architecture->gguf;
  const std::string_view name = facts.name_of(d);
  Keys keys(name);
  keys.general("general.architecture", std::string(name));
  keys.general("general.type", std::string("model"));
  keys.general("general.name", gguf_name(input.name, input.tokenizer));
  keys.general("general.file_type", static_cast<std::uint32_t>(file_type));
  keys.general("general.quantization_version", kQuantizationVersion);
  for (const Field& field : input.model.architecture->fields) {
    const bool written = field.gguf_when == nullptr || field.gguf_when(d);
    if (written && !field.gguf.empty()) std::visit(Writing{keys, d, field.gguf}, field.value);
  }
  if (d.window() || facts.always_window_key)
    keys.count("attention.sliding_window", d.window().value_or(0));
  add_rope(keys, d, facts);
  if (facts.tempers_queries) {
    keys.real("attention.temperature_scale", d.query_beta);
    keys.count("attention.temperature_length", d.query_length);
  }
  return keys.take();
}

std::vector<gguf::Pair> gguf_provenance(const ContainerInput& input, bool quantized) {
  std::vector<gguf::Pair> pairs;
  if (quantized) pairs.push_back({"general.quantized_by", "Zeropoint " + std::string(kVersion)});
  pairs.insert(pairs.end(), input.provenance.begin(), input.provenance.end());
  if (input.statistics == nullptr) return pairs;
  const StatisticsOrigin& s = *input.statistics;
  if (!s.file.empty()) pairs.push_back({"quantize.imatrix.file", s.file});
  if (!s.dataset.empty()) pairs.push_back({"quantize.imatrix.dataset", s.dataset});
  pairs.push_back({"quantize.imatrix.entries_count", static_cast<std::uint32_t>(s.entries)});
  if (s.chunks > 0)
    pairs.push_back({"quantize.imatrix.chunks_count", static_cast<std::uint32_t>(s.chunks)});
  return pairs;
}

std::vector<std::string> gguf_notes(const ContainerInput& input) {
  const GgufFacts& facts = input.model.architecture->gguf;
  const Decoder& d = input.model.decoder;
  std::vector<std::string> notes =
      runtime_notes(d, facts.computes, "llama.cpp", graph_of(facts.name_of(d)));
  if (input.tokenizer == nullptr) {
    notes.push_back("no tokenizer in the checkpoint: llama.cpp will take token ids only");
    return notes;
  }
  for (const std::string& texts : gguf_tokenizer_deviations(*input.tokenizer)) {
    notes.push_back("llama.cpp's token ids will differ in " + texts);
  }
  return notes;
}

}  // namespace zp
