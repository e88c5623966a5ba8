#include "base/json_fields.h"

#include <utility>

#include "base/error.h"

namespace zp {

JsonFields::JsonFields(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) throw Error(where_, "no JSON object", "an object", object.type_name());
}

bool JsonFields::has(std::string_view key) const {
  const Json* value = object_.find(key);
  return value != nullptr && !value->is_null();
}

const Json& JsonFields::at(std::string_view key) const {
  const Json* value = object_.find(key);
  if (value == nullptr) throw Error(where_, "field missing", "\"" + std::string(key) + "\"");
  return *value;
}

void JsonFields::wrong(std::string_view key, const char* expected) const {
  throw Error(where_ + ": \"" + std::string(key) + "\"", "wrong type", expected,
              at(key).dump_ascii());
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
