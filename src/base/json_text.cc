#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "base/json.h"
#include "base/json_file.h"
#include "base/mapped_file.h"

namespace zp {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 128;

// Builds the value while it is read, refusing what nlohmann's own builder lets pass.
class StrictBuilder final : public nlohmann::json_sax<ordered_json> {
 public:
  StrictBuilder(Json& root, const std::string& where) : root_(root), where_(where) {}

  bool null() override { return place(nullptr), true; }
  bool boolean(bool value) override { return place(value), true; }
  bool number_integer(std::int64_t value) override { return place(value), true; }
  bool number_unsigned(std::uint64_t value) override { return place(value), true; }
  bool number_float(double value, const std::string&) override { return place(value), true; }
  bool string(std::string& value) override { return place(std::move(value)), true; }
  bool binary(ordered_json::binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return enter(Json::object());
  }
  bool key(std::string& name) override {
    if (!keys_.back().insert(name).second)
      throw Error(where_, "key stands twice", {}, "\"" + name + "\"");
    key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return enter(Json::array()); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    throw JsonSyntaxError(where_, position, "\"" + token + "\"");
  }

 private:
  Json& place(Json value) {
    if (open_.empty()) return root_ = std::move(value);
    Json& parent = *open_.back();
    if (parent.is_object()) return parent.append(std::move(key_), std::move(value));
    parent.push_back(std::move(value));
    return parent.back();
  }
  bool enter(Json container) {
    if (open_.size() >= kMaxDepth) {
      throw Error(where_, "JSON nested too deeply",
                  "at most " + std::to_string(kMaxDepth) + " levels");
    }
    open_.push_back(&place(std::move(container)));
    return true;
  }

  Json& root_;
  std::string where_;
  std::string key_;
  std::vector<Json*> open_;
  std::vector<std::set<std::string>> keys_;
};

ordered_json to_library(const Json& json) {
  if (json.is_null()) return nullptr;
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    ordered_json elements = ordered_json::array();
    for (const Json& element : json) elements.push_back(to_library(element));
    return elements;
  }
  // Not by ordered_json's own functions, which look every key up among those before it: a
  // vocabulary of 100,000 would take seconds.
  ordered_json::object_t fields;
  ordered_json::object_t::Container& container = fields;
  for (const auto& [key, value] : json.items()) container.emplace_back(key, to_library(value));
  return fields;
}

std::string text_of(const Json& json, int indent, bool ascii,
                    ordered_json::error_handler_t not_utf8) {
  try {
    return to_library(json).dump(indent, ' ', ascii, not_utf8);
  } catch (const ordered_json::type_error&) {
    throw Error("JSON", "a text is no UTF-8");
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  // nlohmann takes a zero byte for the end and would not see what stands behind it.
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    throw JsonSyntaxError(where, zero + 1, "a zero byte");
  }
  Json out;
  StrictBuilder sax(out, where);
  if (!ordered_json::sax_parse(text, &sax)) throw Error(where, "no valid JSON");
  return out;
}

namespace {

std::string with_infinity_spelled(const std::string& text) {
  constexpr std::string_view kWord = "Infinity";
  std::string spelled;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_text = !in_text;
    if (!in_text && text.compare(i, kWord.size(), kWord) == 0) {
      spelled += R"({"__float__": "Infinity"})";
      i += kWord.size() - 1;
      continue;
    }
    spelled += text[i];
    if (in_text && text[i] == '\\' && i + 1 < text.size()) spelled += text[++i];
  }
  return spelled;
}

}  // namespace

Json read_python_json(const std::filesystem::path& path) {
  return parse_json(with_infinity_spelled(read_text(path)), path.string());
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_text(path), path.string());
}

std::string Json::dump(int indent) const {
  return text_of(*this, indent, false, ordered_json::error_handler_t::strict);
}

std::string Json::dump_ascii() const {
  return text_of(*this, -1, true, ordered_json::error_handler_t::strict);
}

std::string Json::dump_repaired(int indent) const {
  return text_of(*this, indent, false, ordered_json::error_handler_t::replace);
}

std::ostream& operator<<(std::ostream& out, const Json& json) {
  return out << json.dump_repaired();
}

}  // namespace zp
