#include "text/special_tokens.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "text/text_pipeline_json.h"

namespace zp {
namespace {

constexpr std::array<std::string_view, 7> kStandard = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
constexpr const char* kExtra = "extra_special_tokens";
constexpr const char* kAdditional = "additional_special_tokens";

bool is_standard(std::string_view name) {
  return std::find(kStandard.begin(), kStandard.end(), name) != kStandard.end();
}

// {"__type": "AddedToken", "content": ...}: how transformers writes a token with its flags.
bool is_written_token(const Json& value) { return value.is_object() && value.contains("__type"); }

AddedToken read_token(const Json& value, bool named, const std::string& where) {
  AddedToken token;
  if (value.is_string()) {
    token.text = value.get<std::string>();
    token.special = true;
    return token;
  }
  if (!value.is_object())
    throw Error(where, "no token", "a text, or an object with its flags", value.type_name());
  Json object = value;
  if (named || !is_written_token(value)) object["special"] = true;
  return read_added_token(JsonFields(object, where), 0);
}

const Json* member(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

class Reader {
 public:
  Reader(const Json& config, const std::string& config_file, const Json& map,
         const std::string& map_file)
      : config_{config, config_file}, map_{map, map_file} {
    use_map_ = !config.contains("added_tokens_decoder");
  }

  SpecialTokens read() {
    for (const std::string_view name : kStandard) {
      const File& file = use_map_ && map_.json.contains(name) ? map_ : config_;
      if (const Json* value = member(file.json, name)) name_token(std::string(name), *value, file);
    }
    // Those that transformers meets on the way stand before those it collects first.
    read_own(config_, is_written_token);
    if (use_map_) read_own(map_, [](const Json& v) { return v.is_string() || v.is_object(); });
    read_own(config_, [](const Json& v) { return v.is_string(); });
    read_extra();
    return std::move(found_);
  }

 private:
  struct File {
    const Json& json;
    const std::string& name;
    std::string where(std::string_view key) const {
      return name + ": \"" + std::string(key) + "\"";
    }
  };

  void name_token(const std::string& name, const Json& value, const File& file) {
    AddedToken token = read_token(value, true, file.where(name));
    if (token.text.empty()) return;
    for (SpecialTokens::Named& known : found_.named) {
      if (known.name != name) continue;
      known.token = std::move(token);
      return;
    }
    found_.named.push_back({name, std::move(token)});
  }

  // Keys that end in "_token": other values than `fits` are settings, "add_bos_token" for one.
  template <class Fits>
  void read_own(const File& file, const Fits& fits) {
    for (const auto& [key, value] : file.json.items()) {
      if (key.ends_with("_token") && !is_standard(key) && fits(value)) name_token(key, value, file);
    }
  }

  void read_map(const Json& tokens, const File& file) {
    for (const auto& [name, token] : tokens.items()) name_token(name, token, file);
  }

  void append_list(const Json& tokens, const char* key, const File& file) {
    if (!tokens.is_array())
      throw Error(file.where(key), "wrong type", "a list of tokens", tokens.type_name());
    for (const Json& value : tokens) {
      AddedToken token = read_token(value, false, file.where(key));
      if (!token.text.empty()) found_.extra.push_back(std::move(token));
    }
  }

  void read_extra() {
    const Json* extra = member(config_.json, kExtra);
    const bool config_has_extra = extra != nullptr && !extra->empty();
    if (extra != nullptr && extra->is_object()) {
      read_map(*extra, config_);
    } else if (config_has_extra) {
      append_list(*extra, kExtra, config_);
    }
    const Json* more = use_map_ ? member(map_.json, kExtra) : nullptr;
    if (more != nullptr && more->is_object()) {
      read_map(*more, map_);
    } else if (more != nullptr) {
      append_list(*more, kExtra, map_);
    }
    if (config_has_extra || more != nullptr) return;
    for (const File* file : {&config_, &map_}) {
      const Json* additional = member(file->json, kAdditional);
      if (additional == nullptr || (file == &map_ && !use_map_)) continue;
      return append_list(*additional, kAdditional, *file);
    }
  }

  File config_, map_;
  bool use_map_ = false;
  SpecialTokens found_;
};

}  // namespace

const AddedToken* SpecialTokens::find(std::string_view name) const {
  for (const Named& one : named) {
    if (one.name == name) return &one.token;
  }
  return nullptr;
}

bool SpecialTokens::names(std::string_view text) const {
  return std::any_of(named.begin(), named.end(),
                     [&](const Named& one) { return one.token.text == text; });
}

SpecialTokens read_special_tokens(const Json& config, const std::string& config_file,
                                  const Json& map, const std::string& map_file) {
  return Reader(config, config_file, map, map_file).read();
}

}  // namespace zp
