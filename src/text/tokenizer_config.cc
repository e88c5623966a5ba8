#include "text/tokenizer_config.h"

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/json_file.h"
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
  Json json = read_python_json(path);
  if (!json.is_object())
    throw Error(path.string(), "no JSON object", "an object", json.type_name());
  return json;
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
  const SpecialTokens special =
      read_special_tokens(config, where(kConfig), special_tokens, where(kSpecialTokens));
  add_tokens(special, draft);
  add_special_tokens(special, draft);
  find_ids(special, family, draft);
  set_flags(draft);
  read_templates(draft.tokenizer);
}

void TokenizerConfig::add_tokens(const SpecialTokens& special, TokenizerDraft& draft) const {
  const JsonFields fields(config, where(kConfig));
  const bool listed = fields.has("added_tokens_decoder");
  std::map<std::int64_t, AddedToken> tokens;
  if (listed) {
    const std::string place = where(kConfig) + ": \"added_tokens_decoder\"";
    const Json& decoder = fields.at("added_tokens_decoder");
    if (!decoder.is_object())
      throw Error(place, "wrong type", "an object of id: token", decoder.type_name());
    for (const auto& [text, value] : decoder.items()) {
      Json token = value;
      if (special.names(JsonFields(value, place).text("content"))) token["special"] = true;
      const std::int64_t id = parse_id(text, place);
      tokens[id] = read_added_token(JsonFields(token, place), id);
    }
  }
  for (const auto& [text, id] : added_tokens.items()) {
    if (!id.is_number_integer())
      throw Error(where(kAddedTokens), "id of \"" + text + "\" is no integer", {}, id.dump());
    if ((draft.count_from && listed) || draft.is_added(text)) continue;
    AddedToken token{id.get<std::int64_t>(), text, special.names(text)};
    token.normalized = draft.count_from && !token.special;
    tokens.emplace(token.id, std::move(token));
  }
  for (auto& [id, token] : tokens) draft.append(std::move(token), id, folder.string());
}

void TokenizerConfig::add_special_tokens(const SpecialTokens& special,
                                         TokenizerDraft& draft) const {
  std::set<std::string> listed;
  for (const auto& [id, token] : draft.added) listed.insert(token.text);
  // Of several that name one token the last says its flags, where no list does.
  const auto append = [&](const AddedToken& token, const std::string& name) {
    const bool is_new = !draft.vocabulary.find(token.text);
    draft.append(token, std::nullopt, folder.string());
    if (!is_new) return;
    draft.tokenizer.notes.push_back(
        name + " \"" + printable(token.text, 40) +
        "\" is not in the vocabulary: as in transformers it gets a new id, " +
        std::to_string(*draft.vocabulary.find(token.text)));
  };
  for (const SpecialTokens::Named& one : special.named) {
    draft.tokenizer.named_tokens.emplace_back(one.name, one.token.text);
    if (listed.count(one.token.text) == 0) {
      append(one.token, one.name);
    } else {
      draft.make_special(one.token.text);
    }
  }
  for (const AddedToken& token : special.extra) {
    if (listed.count(token.text) == 0) append(token, "the special token");
  }
}

void TokenizerConfig::find_ids(const SpecialTokens& special, const SplitFamily* family,
                               TokenizerDraft& draft) const {
  struct Id {
    const char* name;
    const char* key;  // of config.json, or null
    std::optional<std::int64_t>* id;
    bool fixed;  // tokenizer.json says it
  };
  Tokenizer& t = draft.tokenizer;
  const bool counted = draft.count_from.has_value();
  if (counted && !t.unknown) t.skip_unknown = true;
  const std::array ids = {Id{"bos_token", "bos_token_id", &t.bos, t.add_bos && t.bos},
                          Id{"eos_token", "eos_token_id", &t.eos, t.add_eos && t.eos},
                          Id{"unk_token", nullptr, &t.unknown, counted && t.unknown},
                          Id{"pad_token", "pad_token_id", &t.pad, false}};
  const JsonFields fields(model, where(kModel));
  for (const Id& one : ids) {
    // tokenizer.model names them by ids.
    if (*one.id && !counted && special.find(one.name) == nullptr)
      t.named_tokens.emplace_back(one.name, draft.vocabulary.at(**one.id).text);
    if (const AddedToken* token = special.find(one.name); token != nullptr && !one.fixed)
      *one.id = draft.vocabulary.find(token->text);
    // An id makes no token special. config.json's eos may be a list; generation needs that.
    if (!*one.id && one.key != nullptr && fields.has(one.key) &&
        fields.at(one.key).is_number_integer()) {
      const std::int64_t id = fields.integer(one.key);
      if (draft.vocabulary.has(id)) *one.id = id;
    }
    // A class's default holds where the files don't name the token, not where they say null.
    if (*one.id || family == nullptr || one.id == &t.pad || config.contains(one.name)) continue;
    *one.id = draft.vocabulary.find(family->end_of_text);
    if (!*one.id) continue;
    const std::string text(family->end_of_text);
    t.named_tokens.emplace_back(one.name, text);
    if (!draft.is_added(text)) draft.append({0, text, true}, std::nullopt, folder.string());
  }
}

// transformers 5 reads add_bos_token and add_eos_token only where there is no tokenizer.json.
void TokenizerConfig::set_flags(TokenizerDraft& draft) const {
  Tokenizer& t = draft.tokenizer;
  const JsonFields fields(config, where(kConfig));
  t.clean_up_spaces = fields.boolean("clean_up_tokenization_spaces", false);
  for (const auto& [key, adds, id] :
       {std::tuple("add_bos_token", &t.add_bos, &t.bos), {"add_eos_token", &t.add_eos, &t.eos}}) {
    const bool wanted = fields.boolean(key, *adds);
    if (wanted == *adds) continue;
    if (draft.count_from) {
      t.notes.push_back(std::string(key) + " is " + (wanted ? "true" : "false") +
                        " in tokenizer_config.json, but tokenizer.json puts " +
                        (wanted ? "no token there" : "the token there all the same") +
                        ", and as in transformers that holds");
      continue;
    }
    *adds = wanted;
    if (wanted && !*id) {
      throw Error(where(kConfig), "asks for a token at the " +
                                      std::string(id == &t.bos ? "beginning" : "end") +
                                      " of every text but names none");
    }
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
