#include "text/tokenizer_config.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "text/text_pipeline_json.h"

namespace zp {
namespace {

constexpr const char* kConfig = "tokenizer_config.json";
constexpr const char* kSpecialTokens = "special_tokens_map.json";
constexpr const char* kAddedTokens = "added_tokens.json";
constexpr const char* kModel = "config.json";

Json read_object(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return Json::object();
  Json json = read_json(path);
  if (!json.is_object())
    throw Error(path.string(), "no JSON object", "an object", json.type_name());
  return json;
}

// A token's text where files write either it or an object with flags.
std::optional<std::string> token_text(const Json& value, const std::string& where) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  return JsonFields(value, where).text("content");
}

std::int64_t parse_id(const std::string& text, const std::string& where) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(where, "no token id", "a number", text);
  return id;
}

}  // namespace

TokenizerConfig::TokenizerConfig(const std::filesystem::path& in)
    : folder(in),
      config(read_object(in / kConfig)),
      special_tokens(read_object(in / kSpecialTokens)),
      added_tokens(read_object(in / kAddedTokens)),
      model(read_object(in / kModel)) {}

const SplitFamily& TokenizerConfig::family() const {
  const JsonFields fields(model, where(kModel));
  std::string borrowed;
  if (fields.has("auto_map")) {
    const Json& map = fields.at("auto_map");
    if (map.is_object() && map.contains("AutoTokenizer") && map["AutoTokenizer"].is_string()) {
      borrowed = map["AutoTokenizer"].get<std::string>();
    }
  }
  if (const SplitFamily* family = family_of_borrowed(borrowed)) return *family;
  const std::string tokenizer_class =
      JsonFields(config, where(kConfig)).text("tokenizer_class", "");
  if (const SplitFamily* family = family_of_class(tokenizer_class)) return *family;
  const std::string model_type = fields.text("model_type", "");
  if (const SplitFamily* family = family_of_model_type(model_type)) return *family;
  if (tokenizer_class.empty() && model_type.empty()) return *family_of_class("GPT2Tokenizer");
  throw Error(folder.string(), "vocab.json and merges.txt don't say how text is split into words",
              "tokenizer.json beside them",
              "tokenizer_class \"" + tokenizer_class + "\", model_type \"" + model_type + "\"");
}

void TokenizerConfig::apply(const SplitFamily* family, TokenizerDraft& draft) const {
  add_tokens(draft);
  find_special_tokens(family, draft);
  set_flags(draft);
  read_templates(draft.tokenizer);
}

void TokenizerConfig::add_tokens(TokenizerDraft& draft) const {
  const JsonFields fields(config, where(kConfig));
  if (fields.has("added_tokens_decoder")) {
    const std::string place = where(kConfig) + ": \"added_tokens_decoder\"";
    const Json& decoder = fields.at("added_tokens_decoder");
    if (!decoder.is_object())
      throw Error(place, "wrong type", "an object of id: token", decoder.type_name());
    for (const auto& [id, token] : decoder.items()) {
      draft.add(read_added_token(JsonFields(token, place), parse_id(id, place)), place);
    }
  }
  for (const auto& [text, id] : added_tokens.items()) {
    if (!id.is_number_integer())
      throw Error(where(kAddedTokens), "id of \"" + text + "\" is no integer", {}, id.dump());
    if (draft.added.count(id.get<std::int64_t>()) != 0) continue;
    draft.add({id.get<std::int64_t>(), text}, where(kAddedTokens));
  }
}

std::string TokenizerConfig::special_text(std::string_view key) const {
  const std::string name(key);
  for (const auto& [object, file] :
       {std::pair(&config, kConfig), std::pair(&special_tokens, kSpecialTokens)}) {
    const auto it = object->find(name);
    if (it == object->end()) continue;
    if (const auto text = token_text(*it, where(file) + ": \"" + name + "\"")) return *text;
  }
  return {};
}

void TokenizerConfig::find_special_tokens(const SplitFamily* family, TokenizerDraft& draft) const {
  struct Special {
    const char* key;
    const char* id_key;
    std::optional<std::int64_t>* id;
    bool fixed;  // the template already says it
  };
  Tokenizer& t = draft.tokenizer;
  const std::array specials = {Special{"bos_token", "bos_token_id", &t.bos, t.add_bos && t.bos},
                               Special{"eos_token", "eos_token_id", &t.eos, t.add_eos && t.eos},
                               Special{"unk_token", nullptr, &t.unknown, false},
                               Special{"pad_token", "pad_token_id", &t.pad, false}};
  const JsonFields model_fields(model, where(kModel));
  for (const Special& special : specials) {
    const std::string text = special_text(special.key);
    const std::optional<std::int64_t> known = draft.vocabulary.find(text);
    if (!special.fixed && known) *special.id = known;
    if (!text.empty() && !known) {
      t.notes.push_back(std::string(special.key) + " \"" + printable(text, 40) +
                        "\" is not in the vocabulary");
    }
    // config.json's eos may be a list; generation needs that, not the tokenizer.
    if (!*special.id && special.id_key != nullptr && model_fields.has(special.id_key) &&
        model_fields.at(special.id_key).is_number_integer()) {
      const std::int64_t id = model_fields.integer(special.id_key);
      if (draft.vocabulary.has(id)) *special.id = id;
    }
    // A class's default holds where the files don't name the token, not where they say null.
    if (!*special.id && family != nullptr && special.id != &t.pad &&
        !config.contains(special.key)) {
      *special.id = draft.vocabulary.find(family->end_of_text);
    }
    if (!*special.id || draft.added.count(**special.id) != 0) continue;
    const Token& token = draft.vocabulary.at(**special.id);
    if (token.type == TokenType::normal)
      draft.add({**special.id, token.text, true}, where(kConfig));
  }
}

void TokenizerConfig::set_flags(TokenizerDraft& draft) const {
  Tokenizer& t = draft.tokenizer;
  const JsonFields fields(config, where(kConfig));
  t.add_bos = fields.boolean("add_bos_token", t.add_bos);
  t.add_eos = fields.boolean("add_eos_token", t.add_eos);
  t.clean_up_spaces = fields.boolean("clean_up_tokenization_spaces", false);
  if ((t.add_bos && !t.bos) || (t.add_eos && !t.eos)) {
    throw Error(where(kConfig), std::string("asks for a token at the ") +
                                    (t.bos ? "end" : "beginning") +
                                    " of every text but names none");
  }
}

void TokenizerConfig::read_templates(Tokenizer& tokenizer) const {
  const auto from_json = [&](const Json& object, const std::string& file) {
    const JsonFields fields(object, file);
    if (!fields.has("chat_template")) return;
    const Json& value = fields.at("chat_template");
    if (!value.is_array()) {
      tokenizer.chat_template = fields.text("chat_template");
      return;
    }
    for (const Json& entry : value) {
      const JsonFields named(entry, file + ": \"chat_template\"");
      const std::string name = named.text("name");
      if (name == "default") {
        tokenizer.chat_template = named.text("template");
      } else {
        tokenizer.named_templates.emplace_back(name, named.text("template"));
      }
    }
  };
  from_json(config, where(kConfig));
  const std::filesystem::path json = folder / "chat_template.json";
  if (tokenizer.chat_template.empty() && std::filesystem::exists(json))
    from_json(read_json(json), json.string());
  const std::filesystem::path jinja = folder / "chat_template.jinja";
  if (std::filesystem::exists(jinja)) tokenizer.chat_template = read_text(jinja);
}

}  // namespace zp
