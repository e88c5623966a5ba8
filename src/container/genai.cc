// ONNX models for onnxruntime-genai: the onnx container's graph, the tokenizer's files, and
// genai_config.json, which says how to drive it. Source: onnxruntime-genai src/config.cpp, whose
// parser refuses keys it doesn't know.
//
// The model's type is the generic "decoder": what architectures differ in is in the graph. Where
// the kernels allow it MatMulNBits rounds activations to 8 bits (accuracy_level 4), as that
// runtime's own builder has it on CPUs: about twice as fast, at a small loss.
#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/json_fields.h"
#include "base/json_file.h"
#include "container/checkpoint_folder.h"
#include "container/genai_search.h"
#include "container/genai_tokenizer.h"
#include "container/onnx_folder.h"
#include "container/onnx_ops.h"
#include "text/decode.h"
#include "text/encode.h"
#include "text/generation.h"

namespace zp {
namespace {

constexpr std::string_view kTokenizerFile = "tokenizer.json";
constexpr std::string_view kTokenizerConfig = "tokenizer_config.json";

/// Tokens that end an answer: the tokenizer's, and what generation_config.json adds; else what
/// config.json says. The runtime wants one, so else the last of the vocabulary.
Json end_ids(const ContainerInput& input, std::vector<std::string>& notes) {
  const std::int64_t vocabulary = input.model.decoder.vocabulary;
  check_stated_ends(input.generation_config, vocabulary, input.name + ": generation_config.json");
  std::vector<std::int64_t> ids = generation_ends(input.tokenizer, input.generation_config);
  if (ids.empty()) {
    check_stated_ends(input.config, vocabulary, input.name + ": config.json");
    ids = stated_ends(input.config);
  }
  if (ids.empty()) {
    ids.push_back(vocabulary - 1);
    notes.push_back("no token ends a text in this model, but onnxruntime-genai wants one: it is " +
                    std::to_string(ids[0]) + " now, the vocabulary's last");
  }
  return ids;
}

Json special_id(const ContainerInput& input, const char* key,
                std::optional<std::int64_t> Tokenizer::*of) {
  if (input.tokenizer != nullptr && input.tokenizer->*of) return *(input.tokenizer->*of);
  const Json id = input.config.value(key, Json());
  if (!id.is_number_integer()) return {};
  const auto number = id.get<std::int64_t>();
  return number >= 0 && number < input.model.decoder.vocabulary ? id : Json();
}

/// An ordinary token, as config.json's pad_token_id often is ("!" where it is 0).
bool stands_in_texts(const Tokenizer& tokenizer, std::int64_t id) {
  if (id < 0 || id >= std::ssize(tokenizer.tokens)) return false;
  if (tokenizer.tokens[static_cast<std::size_t>(id)].type != TokenType::normal) return false;
  const auto token = static_cast<TokenId>(id);
  const std::string text(TokenDecoder(tokenizer).bytes(token));
  const std::vector<TokenId> ids = Encoder(tokenizer, "pad_token_id").encode(text, false);
  return std::ranges::find(ids, token) != ids.end();
}

/// The runtime masks every token that is the padding, in prompts too: so one that prompts don't
/// have, neither what stands for the unknown nor what ends each turn of a chat.
Json padding_id(const ContainerInput& input, const Json& ends) {
  Json candidates = ends;
  candidates.push_front(special_id(input, "pad_token_id", &Tokenizer::pad));
  for (const Json& id : candidates) {
    const Tokenizer* tokenizer = input.tokenizer;
    if (id.is_null() ||
        (tokenizer != nullptr && (tokenizer->unknown == id || tokenizer->eos == id ||
                                  stands_in_texts(*tokenizer, id.get<std::int64_t>()))))
      continue;
    return id;
  }
  return ends[0];
}

Json decoder_config(const Decoder& d) {
  return {
      {"session_options", {{"log_id", "onnxruntime-genai"}, {"provider_options", Json::array()}}},
      {"filename", "model.onnx"},
      {"head_size", cached_head_dim(d)},
      {"hidden_size", d.hidden},
      {"inputs",
       {{"input_ids", "input_ids"},
        {"attention_mask", "attention_mask"},
        {"position_ids", "position_ids"},
        {"past_key_names", "past_key_values.%d.key"},
        {"past_value_names", "past_key_values.%d.value"}}},
      {"outputs",
       {{"logits", "logits"},
        {"present_key_names", "present.%d.key"},
        {"present_value_names", "present.%d.value"}}},
      {"num_attention_heads", d.heads},
      {"num_hidden_layers", d.layers},
      {"num_key_value_heads", d.kv_heads}};
}

Json genai_config(const ContainerInput& input, std::vector<std::string>& notes) {
  const Decoder& d = input.model.decoder;
  Json model = {{"context_length", d.context},
                {"decoder", decoder_config(d)},
                {"type", "decoder"},
                {"vocab_size", d.vocabulary}};
  if (Json bos = special_id(input, "bos_token_id", &Tokenizer::bos); !bos.is_null())
    model["bos_token_id"] = std::move(bos);
  const Json ends = end_ids(input, notes);
  model["eos_token_id"] = ends.size() == 1 ? ends[0] : ends;
  model["pad_token_id"] = padding_id(input, ends);
  return {{"model", std::move(model)},
          {"search", genai_search(input.generation_config, d.vocabulary, d.context, input.name)}};
}

std::string tokenizer_class_of(const std::filesystem::path& folder) {
  const std::filesystem::path config = folder / kTokenizerConfig;
  return JsonFields(read_json(config), config.string()).text("tokenizer_class", "");
}

// Where the source's tokenizer.json isn't read as it is meant, in words that the runtime knows.
void respell_tokenizer(const ContainerInput& input, Layout& layout) {
  for (OutputFile& file : layout.files) {
    if (file.name != kTokenizerFile || file.copy_of.empty()) continue;
    const std::optional<Json> json = genai_tokenizer_json(read_json(file.copy_of), *input.tokenizer,
                                                          tokenizer_class_of(input.folder));
    if (!json) return;
    std::erase_if(layout.files, [](const OutputFile& f) { return f.name == kTokenizerFile; });
    return add_json(layout, std::string(kTokenizerFile), *json);
  }
}

// The runtime reads these two files and no other form of a tokenizer.
void add_tokenizer(const ContainerInput& input, Layout& layout) {
  for (const std::string_view name : {kTokenizerFile, kTokenizerConfig}) {
    if (has_file(layout, name)) continue;
    layout.notes.push_back("onnxruntime-genai reads no tokenizer without " + std::string(name) +
                           ", which the source doesn't have");
    return;
  }
  if (input.tokenizer == nullptr) return;
  respell_tokenizer(input, layout);
  for (const std::string& line : genai_tokenizer_deviations(*input.tokenizer))
    layout.notes.push_back("onnxruntime-genai's tokenizer gives other ids for " + line);
}

class GenAi final : public OnnxFolder {
 public:
  std::string_view name() const override { return "genai"; }
  std::string_view summary() const override {
    return "folder for onnxruntime-genai: onnx's graph, its configuration and the tokenizer";
  }

 protected:
  std::int64_t accuracy_level() const override { return kOnnxRounded; }
  void add_files(const ContainerInput& input, Layout& layout) const override {
    add_json(layout, "genai_config.json", genai_config(input, layout.notes));
    add_tokenizer(input, layout);
  }
};

constinit const GenAi instance;

}  // namespace

extern const Container& container_genai;
const Container& container_genai = instance;

}  // namespace zp
