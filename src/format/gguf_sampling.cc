#include "format/gguf_sampling.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

constexpr std::string_view kPrefix = "general.sampling.";

struct Field {
  std::string_view name;
  std::string_view key;
  double least;
  double most;
  bool whole;
  std::string_view expected;
};
constexpr double kAny = 3e38;  // FP32 holds it
constexpr double kSmall = 1e-6;
// A top_k of -1 is no limit to either.
constexpr Field kFields[] = {
    {"temperature", "temp", 0, kAny, false, "a number from 0"},
    {"top_k", "top_k", -1, INT32_MAX, true, "a whole number from -1"},
    {"top_p", "top_p", 0, 1, false, "a number from 0 to 1"},
    {"min_p", "min_p", 0, 1, false, "a number from 0 to 1"},
    {"repetition_penalty", "penalty_repeat", kSmall, kAny, false, "a number above 0"},
};

bool is_in_range(const Field& field, double value) {
  return value >= field.least && value <= field.most &&
         (!field.whole || value == std::floor(value));
}

std::string key_of(const Field& field) { return std::string(kPrefix) + std::string(field.key); }

std::optional<double> number_of(const gguf::Value& value) {
  return std::visit(
      [](const auto& v) -> std::optional<double> {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
          return static_cast<double>(v);
        return std::nullopt;
      },
      value);
}

// The shortest decimal that the stored FP32 stands for.
double shortest(double value) {
  const auto stored = static_cast<float>(value);
  return static_cast<double>(stored) == value ? std::stod(fmt::format("{}", stored)) : value;
}

}  // namespace

std::vector<gguf::Pair> sampling_pairs(const Json& generation_config, const std::string& where) {
  std::vector<gguf::Pair> pairs;
  if (!generation_config.is_object()) return pairs;
  for (const Field& field : kFields) {
    const Json* stated = generation_config.find(field.name);
    if (stated == nullptr || stated->is_null()) continue;
    if (!stated->is_number() || !is_in_range(field, stated->get<double>())) {
      throw Error(where + ": generation_config.json: \"" + std::string(field.name) + "\"",
                  "not what llama.cpp takes", std::string(field.expected), stated->dump());
    }
    const auto value = stated->get<double>();
    if (field.whole) {
      pairs.push_back({key_of(field), static_cast<std::int32_t>(value)});
    } else {
      pairs.push_back({key_of(field), static_cast<float>(value)});
    }
    if (field.name == "repetition_penalty")
      pairs.push_back({std::string(kPrefix) + "penalty_last_n", std::int32_t{-1}});
  }
  return pairs;
}

Json sampling_fields(std::span<const gguf::Pair> pairs) {
  Json fields;
  for (const Field& field : kFields) {
    const auto pair = std::ranges::find(pairs, key_of(field), &gguf::Pair::key);
    if (pair == pairs.end()) continue;
    const std::optional<double> value = number_of(pair->value);
    if (!value || !is_in_range(field, *value)) continue;
    if (field.whole) {
      fields[std::string(field.name)] = static_cast<std::int64_t>(std::max(*value, 0.0));
    } else {
      fields[std::string(field.name)] = shortest(*value);
    }
  }
  if (fields.is_null()) return fields;
  // Without temperature the likeliest token is taken, which transformers says another way.
  const bool draws = fields.value("temperature", 1.0) > 0;
  fields["do_sample"] = draws;
  if (!draws) fields.erase("temperature");
  return fields;
}

bool has_sampling(std::span<const gguf::Pair> pairs) {
  return std::ranges::any_of(pairs,
                             [](const gguf::Pair& pair) { return pair.key.starts_with(kPrefix); });
}

}  // namespace zp
