// JSON: a value, and its text read strictly, for files are not trusted.
//
// Objects keep the order of their keys, so what we copy through stays as people wrote it. Text is
// read and written by nlohmann-json, which takes seconds to compile: only base/json_text.cc
// includes it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace zp {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  ///< null
  Json(std::nullptr_t) {}
  template <std::same_as<bool> T>  // else pointers would be booleans
  Json(T value) : value_(value) {}
  template <std::signed_integral T>
  Json(T value) : value_(std::int64_t{value}) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Json(T value) : value_(std::uint64_t{value}) {}
  template <std::floating_point T>
  Json(T value) : value_(double{value}) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array elements);
  template <std::convertible_to<Json> T>
  Json(const std::vector<T>& elements) : Json(Array(elements.begin(), elements.end())) {}
  /// {{"key", value}, ...} is an object, every other list an array.
  Json(std::initializer_list<Json> elements);
  static Json array(std::initializer_list<Json> elements = {});
  static Json object();

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  bool is_null() const { return holds<std::monostate>(); }
  bool is_boolean() const { return holds<bool>(); }
  bool is_number_unsigned() const { return holds<std::uint64_t>(); }
  bool is_number_integer() const { return is_number_unsigned() || holds<std::int64_t>(); }
  bool is_number() const { return is_number_integer() || holds<double>(); }
  bool is_string() const { return holds<std::string>(); }
  bool is_array() const { return holds<Array>(); }
  bool is_object() const { return holds<Object>(); }
  bool is_structured() const { return is_array() || is_object(); }
  const char* type_name() const;  ///< null, boolean, number, string, array or object

  /// The value as bool, std::int64_t, std::uint64_t, double (any number; it is converted) or
  /// std::string. Throws where it is of another kind.
  template <class T>
  T get() const;

  std::size_t size() const;  ///< of an array or object; 0 of null, else 1
  bool empty() const { return size() == 0; }

  /// Elements of an array; none of anything else.
  const Json* begin() const;
  const Json* end() const;
  Json* begin();
  Json* end();
  /// Throw where the value is no array, or is too short.
  const Json& operator[](std::size_t i) const;
  Json& operator[](std::size_t i);
  const Json& back() const { return (*this)[size() - 1]; }
  Json& back() { return (*this)[size() - 1]; }
  /// Null becomes an array.
  void push_back(Json value);
  void push_front(Json value);

  /// Fields of an object; none of anything else.
  const Object& items() const;
  const Json* find(std::string_view key) const;  ///< nullptr if there is none
  Json* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// Throws where it is missing.
  const Json& at(std::string_view key) const;
  /// Null where it is missing.
  const Json& operator[](std::string_view key) const;
  /// Made where it is missing; null becomes an object.
  Json& operator[](std::string_view key);
  /// The field as get() has it, or `otherwise` where it is missing.
  template <class T>
  T value(std::string_view key, T otherwise) const {
    const Json* found = find(key);
    return found == nullptr ? otherwise : found->get<T>();
  }
  std::string value(std::string_view key, const char* otherwise) const {
    return value(key, std::string(otherwise));
  }
  /// Behind all others, without a look whether there is one of that name.
  Json& append(std::string key, Json value);
  void erase(std::string_view key);
  void update(const Json& object);  ///< its fields, in place of those of the same names

  /// In one line, or with `indent` spaces a level. Throws where a string is no UTF-8.
  std::string dump(int indent = -1) const;
  /// In one line of ASCII.
  std::string dump_ascii() const;
  /// As dump, with U+FFFD for what is no UTF-8.
  std::string dump_repaired(int indent = -1) const;

  /// Numbers are equal when their values are; objects when their fields are, in the same order.
  friend bool operator==(const Json& a, const Json& b);
  friend std::ostream& operator<<(std::ostream& out, const Json& json);

 private:
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(value_);
  }
  template <class T>
  const T& as(const char* kind) const;
  template <class T>
  T integer() const;
  template <class T>
  T& become(const char* kind);

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      value_;
};

template <>
bool Json::get() const;
template <>
std::int64_t Json::get() const;
template <>
std::uint64_t Json::get() const;
template <>
double Json::get() const;
template <>
std::string Json::get() const;
template <>
Json Json::get() const;

/// What is no JSON, and from which byte on (counted from 1).
class JsonSyntaxError : public Error {
 public:
  JsonSyntaxError(const std::string& where, std::size_t byte, const std::string& found)
      : Error(where, "no valid JSON at byte " + std::to_string(byte), {}, found), byte_(byte) {}
  std::size_t byte() const { return byte_; }

 private:
  std::size_t byte_;
};

/// Parses UTF-8 JSON. Throws JsonSyntaxError, and Error at `where` on a key that stands twice in
/// one object and on nesting deeper than 128.
Json parse_json(std::string_view text, const std::string& where);

}  // namespace zp
