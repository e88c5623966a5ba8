#include "source/gguf_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace zp {
namespace {

template <class T>
inline constexpr bool kInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <class T>
std::optional<std::int64_t> as_integer(const T& value) {
  if constexpr (kInteger<T>) {
    if (std::cmp_greater(value, INT64_MAX)) return INT64_MAX;
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

template <class T>
std::optional<std::int64_t> as_integer(const std::vector<T>& values) {
  if constexpr (kInteger<T>) {
    const bool same = !values.empty() && std::all_of(values.begin(), values.end(),
                                                     [&](T v) { return v == values[0]; });
    if (same) return as_integer(values[0]);
  }
  return std::nullopt;
}

/// `count` of one; those of an array, how many they are. None of anything else.
template <class T>
std::vector<std::int64_t> as_integers(const T& value, std::size_t count) {
  const std::optional<std::int64_t> n = as_integer(value);
  return n ? std::vector(count, *n) : std::vector<std::int64_t>();
}

template <class T>
std::vector<std::int64_t> as_integers(const std::vector<T>& values, std::size_t) {
  std::vector<std::int64_t> all;
  if constexpr (kInteger<T>) {
    for (const T value : values) all.push_back(*as_integer(value));
  }
  return all;
}

// Writers take a decimal, round it to FP32 and store that.
double decimal(float value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double exact = 0;
  std::from_chars(text.data(), end, exact);
  return exact;
}

}  // namespace

GgufFields::GgufFields(std::span<const gguf::Pair> pairs, std::string prefix, std::string where)
    : prefix_(std::move(prefix)), where_(std::move(where)) {
  for (const gguf::Pair& pair : pairs) {
    const std::string_view key = pair.key;
    if (key.starts_with(prefix_)) values_.emplace(key.substr(prefix_.size()), &pair.value);
  }
}

void GgufFields::refuse(std::string_view key, const std::string& what, const std::string& expected,
                        const std::string& found) const {
  throw Error(where_ + ": \"" + printable(prefix_ + std::string(key)) + "\"", what, expected,
              found);
}

const gguf::Value* GgufFields::find(std::string_view key) {
  known_.emplace(key);
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : found->second;
}

const gguf::Value& GgufFields::at(std::string_view key) {
  const gguf::Value* value = find(key);
  if (value == nullptr) refuse(key, "key missing");
  return *value;
}

bool GgufFields::has(std::string_view key) { return find(key) != nullptr; }

std::int64_t GgufFields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto n = std::visit([](const auto& v) { return as_integer(v); }, at(key));
  if (!n) refuse(key, "wrong type", "an integer, the same in every layer");
  if (*n < least || *n > most) {
    refuse(key, "out of range", std::to_string(least) + " to " + std::to_string(most),
           std::to_string(*n));
  }
  return *n;
}

std::vector<std::int64_t> GgufFields::by_layer(std::string_view key, std::int64_t most,
                                               std::int64_t layers) {
  const auto n = static_cast<std::size_t>(layers);
  std::vector<std::int64_t> all =
      std::visit([n](const auto& v) { return as_integers(v, n); }, at(key));
  if (all.size() != n)
    refuse(key, "wrong type", "an integer, or one for each of " + std::to_string(n) + " layers");
  for (const std::int64_t value : all) {
    if (value < 0 || value > most)
      refuse(key, "out of range", "0 to " + std::to_string(most), std::to_string(value));
  }
  return all;
}

std::int64_t GgufFields::count(std::string_view key, std::int64_t most, std::int64_t otherwise) {
  return has(key) ? count(key, most) : otherwise;
}

double GgufFields::positive(std::string_view key) {
  const gguf::Value& value = at(key);
  double x = 0;
  if (const auto* single = std::get_if<float>(&value)) {
    if (std::isfinite(*single)) x = decimal(*single);
  } else if (const auto* wide = std::get_if<double>(&value)) {
    x = *wide;
  } else {
    refuse(key, "wrong type", "a floating-point number");
  }
  if (!std::isfinite(x) || !(x > 0)) refuse(key, "out of range", "a number above 0");
  return x;
}

double GgufFields::positive(std::string_view key, double otherwise) {
  return has(key) ? positive(key) : otherwise;
}

bool GgufFields::boolean(std::string_view key, bool otherwise) {
  const gguf::Value* value = find(key);
  if (value == nullptr) return otherwise;
  const bool* boolean = std::get_if<bool>(value);
  if (boolean == nullptr) refuse(key, "wrong type", "a boolean");
  return *boolean;
}

std::string GgufFields::text(std::string_view key) {
  const auto* text = std::get_if<std::string>(&at(key));
  if (text == nullptr) refuse(key, "wrong type", "a string");
  if (!is_utf8(*text)) refuse(key, "broken UTF-8");
  return *text;
}

std::string GgufFields::text(std::string_view key, std::string_view otherwise) {
  return has(key) ? text(key) : std::string(otherwise);
}

template <class T>
const T* GgufFields::array(std::string_view key, const char* expected) {
  const gguf::Value* value = find(key);
  if (value == nullptr) return nullptr;
  const T* values = std::get_if<T>(value);
  if (values == nullptr) refuse(key, "wrong type", expected);
  return values;
}

const gguf::Strings* GgufFields::texts(std::string_view key) {
  return array<gguf::Strings>(key, "an array of strings");
}

const std::vector<float>* GgufFields::reals(std::string_view key) {
  return array<std::vector<float>>(key, "an array of FP32");
}

const std::vector<bool>* GgufFields::booleans(std::string_view key) {
  const gguf::Value* value = find(key);
  return value == nullptr ? nullptr : std::get_if<std::vector<bool>>(value);
}

const std::vector<std::int32_t>* GgufFields::integers(std::string_view key) {
  return array<std::vector<std::int32_t>>(key, "an array of 32-bit integers");
}

void GgufFields::finish() const {
  // In order, so that the message is the same on every run.
  std::set<std::string_view> unknown;
  for (const auto& [key, value] : values_) {
    if (!known_.contains(key)) unknown.insert(key);
  }
  if (!unknown.empty()) refuse(*unknown.begin(), "key not known");
}

}  // namespace zp
