#include "base/json.h"

#include <algorithm>

namespace zp {
namespace {

bool is_field(const Json& json) {
  return json.is_array() && json.size() == 2 && json[0].is_string();
}

}  // namespace

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json::Json(Array elements) : value_(std::move(elements)) {}

Json::Json(std::initializer_list<Json> elements) {
  if (!std::all_of(elements.begin(), elements.end(), is_field)) {
    value_ = Array(elements);
    return;
  }
  value_ = Object();
  for (const Json& field : elements) append(field[0].get<std::string>(), field[1]);
}

Json Json::array(std::initializer_list<Json> elements) { return Array(elements); }

Json Json::object() { return Json(std::initializer_list<Json>()); }

const char* Json::type_name() const {
  constexpr const char* kNames[] = {"null",   "boolean", "number", "number",
                                    "number", "string",  "array",  "object"};
  return kNames[value_.index()];
}

template <class T>
const T& Json::as(const char* kind) const {
  if (const T* value = std::get_if<T>(&value_)) return *value;
  throw Error("JSON", "wrong type", kind, type_name());
}

template <class T>
T& Json::become(const char* kind) {
  if (is_null()) value_ = T();
  return const_cast<T&>(as<T>(kind));
}

template <class T>
T Json::integer() const {
  if (const std::int64_t* value = std::get_if<std::int64_t>(&value_)) return static_cast<T>(*value);
  return static_cast<T>(as<std::uint64_t>("an integer"));
}

template <>
bool Json::get() const {
  return as<bool>("a boolean");
}

template <>
std::int64_t Json::get() const {
  return integer<std::int64_t>();
}

template <>
std::uint64_t Json::get() const {
  return integer<std::uint64_t>();
}

template <>
double Json::get() const {
  return is_number_integer() ? integer<double>() : as<double>("a number");
}

template <>
std::string Json::get() const {
  return as<std::string>("a string");
}

template <>
Json Json::get() const {
  return *this;
}

std::size_t Json::size() const {
  if (const Array* elements = std::get_if<Array>(&value_)) return elements->size();
  if (const Object* fields = std::get_if<Object>(&value_)) return fields->size();
  return is_null() ? 0 : 1;
}

const Json* Json::begin() const {
  const Array* elements = std::get_if<Array>(&value_);
  return elements == nullptr ? nullptr : elements->data();
}

const Json* Json::end() const { return is_array() ? begin() + size() : nullptr; }

Json* Json::begin() { return const_cast<Json*>(std::as_const(*this).begin()); }

Json* Json::end() { return const_cast<Json*>(std::as_const(*this).end()); }

const Json& Json::operator[](std::size_t i) const {
  const Array& elements = as<Array>("an array");
  if (i < elements.size()) return elements[i];
  throw Error("JSON", "array too short", std::to_string(i) + " elements before this one",
              std::to_string(elements.size()));
}

Json& Json::operator[](std::size_t i) { return const_cast<Json&>(std::as_const(*this)[i]); }

void Json::push_back(Json value) { become<Array>("an array").push_back(std::move(value)); }

void Json::push_front(Json value) {
  Array& elements = become<Array>("an array");
  elements.insert(elements.begin(), std::move(value));
}

const Json::Object& Json::items() const {
  static const Object kNone;
  const Object* fields = std::get_if<Object>(&value_);
  return fields == nullptr ? kNone : *fields;
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, value] : items()) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

const Json& Json::at(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw Error("JSON", "field missing", "\"" + std::string(key) + "\"");
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* value = find(key);
  return value == nullptr ? kNull : *value;
}

Json& Json::operator[](std::string_view key) {
  Json* value = find(key);
  return value == nullptr ? append(std::string(key), {}) : *value;
}

Json& Json::append(std::string key, Json value) {
  return become<Object>("an object").emplace_back(std::move(key), std::move(value)).second;
}

void Json::erase(std::string_view key) {
  std::erase_if(become<Object>("an object"), [&](const auto& field) { return field.first == key; });
}

void Json::update(const Json& object) {
  for (const auto& [key, value] : object.items()) (*this)[key] = value;
}

bool operator==(const Json& a, const Json& b) {
  if (!a.is_number() || !b.is_number()) return a.value_ == b.value_;
  if (!a.is_number_integer() || !b.is_number_integer()) return a.get<double>() == b.get<double>();
  const auto negative = [](const Json& json) {
    return !json.is_number_unsigned() && json.get<std::int64_t>() < 0;
  };
  return negative(a) == negative(b) && a.get<std::uint64_t>() == b.get<std::uint64_t>();
}

}  // namespace zp
