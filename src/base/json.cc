#include "base/json.h"

#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"

namespace zp {
namespace {

constexpr int kMaxDepth = 128;

// Builds the value through nlohmann's own DOM handler; adds the two checks it lacks.
class StrictSax : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Dom = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  StrictSax(Json& out, const std::string& where) : Dom(out, false), where_(where) {}

  bool start_object(std::size_t n) {
    enter();
    keys_.emplace_back();
    return Dom::start_object(n);
  }
  bool end_object() {
    --depth_;
    keys_.pop_back();
    return Dom::end_object();
  }
  bool key(std::string& name) {
    if (!keys_.back().insert(name).second) throw Error(where_, "key stands twice", {}, "\"" + name + "\"");
    return Dom::key(name);
  }
  bool start_array(std::size_t n) {
    enter();
    return Dom::start_array(n);
  }
  bool end_array() {
    --depth_;
    return Dom::end_array();
  }
  template <class Exception>
  bool parse_error(std::size_t position, const std::string& token, const Exception&) {
    throw Error(where_, "no valid JSON at byte " + std::to_string(position), {}, "\"" + token + "\"");
  }

 private:
  void enter() {
    if (++depth_ > kMaxDepth) {
      throw Error(where_, "JSON nested too deeply", "at most " + std::to_string(kMaxDepth) + " levels");
    }
  }
  std::string where_;
  int depth_ = 0;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  Json out;
  StrictSax sax(out, where);
  if (!Json::sax_parse(text, &sax)) throw Error(where, "no valid JSON");
  return out;
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_text(path), path.string()); }

JsonFields::JsonFields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
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
  throw Error(where_ + ": \"" + std::string(key) + "\"", "wrong type", expected, at(key).dump(-1, ' ', true));
}

std::int64_t JsonFields::integer(std::string_view key) const {
  const Json& v = at(key);
  if (v.is_number_unsigned() && v.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) wrong(key, "an integer below 2^63");
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
