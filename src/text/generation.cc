#include "text/generation.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"

namespace zp {

std::span<const std::string_view> turn_ends() {
  static constexpr std::array<std::string_view, 4> kTexts = {"<|eot_id|>", "<|im_end|>", "<|end|>",
                                                             "<end_of_turn>"};
  return kTexts;
}

std::vector<std::int64_t> stated_ends(const Json& config) {
  std::vector<std::int64_t> ids;
  if (!config.is_object() || !config.contains("eos_token_id")) return ids;
  const Json& stated = config["eos_token_id"];
  for (const Json& id : stated.is_array() ? stated : Json::array({stated})) {
    if (id.is_number_integer()) ids.push_back(id.get<std::int64_t>());
  }
  return ids;
}

void check_stated_ends(const Json& config, std::int64_t vocabulary, const std::string& where) {
  if (!config.is_object() || !config.contains("eos_token_id")) return;
  const Json& stated = config["eos_token_id"];
  for (const Json& id : stated.is_array() ? stated : Json::array({stated})) {
    if (id.is_null()) continue;
    if (id.is_number_integer() && id.get<std::int64_t>() >= 0 &&
        id.get<std::int64_t>() < vocabulary)
      continue;
    throw Error(where + ": \"eos_token_id\"", "no token id",
                "0 to " + std::to_string(vocabulary - 1), id.dump());
  }
}

std::vector<std::int64_t> generation_ends(const Tokenizer* tokenizer,
                                          const Json& generation_config) {
  std::vector<std::int64_t> ends;
  if (tokenizer != nullptr && tokenizer->eos) ends.push_back(*tokenizer->eos);
  for (const std::int64_t id : stated_ends(generation_config)) {
    if (std::ranges::find(ends, id) == ends.end()) ends.push_back(id);
  }
  return ends;
}

Json token_ids_json(const Tokenizer& tokenizer, const Json& generation_config) {
  Json ids = Json::object();
  if (tokenizer.bos) ids["bos_token_id"] = *tokenizer.bos;
  const std::vector<std::int64_t> ends = generation_ends(&tokenizer, generation_config);
  if (ends.size() == 1) ids["eos_token_id"] = ends.front();
  if (ends.size() > 1) ids["eos_token_id"] = ends;
  if (tokenizer.pad) ids["pad_token_id"] = *tokenizer.pad;
  return ids;
}

}  // namespace zp
