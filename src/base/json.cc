#include "base/json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"

namespace zp {
namespace {

constexpr std::size_t kMaxDepth = 128;

// Builds the value while it is read, refusing what nlohmann's own builder lets pass. That one also
// looks every key up among those before it, which makes a vocabulary of 100,000 take 14 seconds.
class StrictBuilder final : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(Json& root, const std::string& where) : root_(root), where_(where) {}

  bool null() override { return place(nullptr), true; }
  bool boolean(bool value) override { return place(value), true; }
  bool number_integer(std::int64_t value) override { return place(value), true; }
  bool number_unsigned(std::uint64_t value) override { return place(value), true; }
  bool number_float(double value, const std::string&) override { return place(value), true; }
  bool string(std::string& value) override { return place(std::move(value)), true; }
  bool binary(Json::binary_t&) override { return false; }
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
    if (open_.back()->is_array()) return open_.back()->emplace_back(std::move(value));
    Json::object_t::Container& fields = open_.back()->get_ref<Json::object_t&>();
    return fields.emplace_back(std::move(key_), std::move(value)).second;
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

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  // nlohmann takes a zero byte for the end and would not see what stands behind it.
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    throw JsonSyntaxError(where, zero + 1, "a zero byte");
  }
  Json out;
  StrictBuilder sax(out, where);
  if (!Json::sax_parse(text, &sax)) throw Error(where, "no valid JSON");
  return out;
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_text(path), path.string());
}

JsonFields::JsonFields(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) throw Error(where_, "no JSON object", "an object", object.type_name());
}

bool JsonFields::has(std::string_view key) const {
  const auto it = object_.find(key);
  return it != object_.end() && !it->is_null();
}

const Json& JsonFields::at(std::string_view key) const {
  const auto it = object_.find(key);
  if (it == object_.end()) throw Error(where_, "field missing", "\"" + std::string(key) + "\"");
  return *it;
}

void JsonFields::wrong(std::string_view key, const char* expected) const {
  throw Error(where_ + ": \"" + std::string(key) + "\"", "wrong type", expected,
              at(key).dump(-1, ' ', true));
}

std::int64_t JsonFields::integer(std::string_view key) const {
  const Json& v = at(key);
  if (v.is_number_unsigned() && v.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    wrong(key, "an integer below 2^63");
  if (!v.is_number_integer()) wrong(key, "an integer");
  return v.get<std::int64_t>();
}

std::int64_t JsonFields::integer(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

double JsonFields::real(std::string_view key) const {
  const Json& v = at(key);
  if (!v.is_number()) wrong(key, "a number");
  return v.get<double>();
}

double JsonFields::real(std::string_view key, double otherwise) const {
  return has(key) ? real(key) : otherwise;
}

bool JsonFields::boolean(std::string_view key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_boolean()) wrong(key, "true or false");
  return at(key).get<bool>();
}

std::string JsonFields::text(std::string_view key) const {
  if (!at(key).is_string()) wrong(key, "a string");
  return at(key).get<std::string>();
}

std::string JsonFields::text(std::string_view key, std::string_view otherwise) const {
  return has(key) ? text(key) : std::string(otherwise);
}

}  // namespace zp
