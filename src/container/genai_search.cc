#include "container/genai_search.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace zp {
namespace {

struct Sizes {
  std::int64_t vocabulary;
  std::int64_t context;
};
/// nullopt for what has no meaning.
using Read = std::optional<Json> (*)(const Json& value, const Sizes& sizes);

struct Field {
  std::string_view name;
  std::string_view expected;
  Read read;
};

std::optional<double> whole(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const double n = value.get<double>();
  return n == std::floor(n) ? std::optional(n) : std::nullopt;
}

std::optional<Json> read_sampling(const Json& value, const Sizes&) {
  if (value.is_boolean()) return value;
  if (value.is_number() && (value == 0 || value == 1)) return Json(value == 1);
  return std::nullopt;
}

std::optional<Json> read_top_k(const Json& value, const Sizes& sizes) {
  const std::optional<double> k = whole(value);
  if (!k || *k < -1) return std::nullopt;
  return *k < 0 || *k > static_cast<double>(sizes.vocabulary) ? 0 : static_cast<std::int64_t>(*k);
}

std::optional<Json> read_beams(const Json& value, const Sizes&) {
  const std::optional<double> beams = whole(value);
  if (!beams || *beams > 32) return std::nullopt;
  return static_cast<std::int64_t>(std::max(*beams, 1.0));
}

std::optional<Json> read_min_length(const Json& value, const Sizes& sizes) {
  const std::optional<double> length = whole(value);
  if (!length) return std::nullopt;
  return static_cast<std::int64_t>(std::clamp(*length, 0.0, static_cast<double>(sizes.context)));
}

std::optional<Json> read_max_length(const Json& value, const Sizes& sizes) {
  const std::optional<double> length = whole(value);
  if (!length || *length < 1) return std::nullopt;
  return static_cast<std::int64_t>(std::min(*length, static_cast<double>(sizes.context)));
}

std::optional<Json> read_top_p(const Json& value, const Sizes&) {
  if (!value.is_number() || value.get<double>() < 0) return std::nullopt;
  return value.get<double>() > 1 ? Json(1.0) : value;
}

std::optional<Json> read_temperature(const Json& value, const Sizes&) {
  if (!value.is_number() || value.get<double>() < 0) return std::nullopt;
  return value;
}

std::optional<Json> read_penalty(const Json& value, const Sizes&) {
  if (!value.is_number() || value.get<double>() <= 0) return std::nullopt;
  return value;
}

constexpr Field kFields[] = {
    {"do_sample", "true or false", read_sampling},
    {"max_length", "a whole number from 1", read_max_length},
    {"min_length", "a whole number", read_min_length},
    {"num_beams", "a whole number up to 32", read_beams},
    {"repetition_penalty", "a number above 0", read_penalty},
    {"temperature", "a number from 0", read_temperature},
    {"top_k", "a whole number from -1", read_top_k},
    {"top_p", "a number from 0", read_top_p},
};

}  // namespace

Json genai_search(const Json& generation_config, std::int64_t vocabulary, std::int64_t context,
                  const std::string& where) {
  const Sizes sizes{vocabulary, context};
  // What changes nothing.
  Json search = {{"do_sample", false},
                 {"early_stopping", true},
                 {"max_length", context},
                 {"min_length", 0},
                 {"num_beams", 1},
                 {"num_return_sequences", 1},
                 {"past_present_share_buffer", true},
                 {"repetition_penalty", 1.0},
                 {"temperature", 1.0},
                 {"top_k", 50},
                 {"top_p", 1.0}};
  // The runtime's own default is above the smallest vocabularies.
  search["top_k"] = *read_top_k(search["top_k"], sizes);
  if (!generation_config.is_object()) return search;
  for (const Field& field : kFields) {
    const Json* stated = generation_config.find(field.name);
    if (stated == nullptr || stated->is_null()) continue;
    std::optional<Json> value = field.read(*stated, sizes);
    if (!value) {
      throw Error(where + ": generation_config.json: \"" + std::string(field.name) + "\"",
                  "not what onnxruntime-genai takes", std::string(field.expected), stated->dump());
    }
    search[std::string(field.name)] = *std::move(value);
  }
  if (search["do_sample"] == true) search["num_beams"] = 1;
  return search;
}

}  // namespace zp
