#include "report/few_tokens.h"

#include <fmt/core.h>

#include "base/human.h"
#include "base/json.h"

namespace zp {

std::string to_text(std::span<const FewTokens> few) {
  std::string text;
  for (std::size_t i = 0; i < few.size();) {
    std::string experts;
    const std::int64_t layer = few[i].layer;
    for (; i < few.size() && few[i].layer == layer; ++i) {
      experts += fmt::format("{}{} ({})", experts.empty() ? "" : ", ", few[i].expert,
                             human_counted(few[i].tokens, "token"));
    }
    text += fmt::format(
        "layer {}: the text hardly reaches experts {}: other tokens of the layer count, too\n",
        layer, experts);
  }
  return text;
}

Json to_json(std::span<const FewTokens> few) {
  Json all = Json::array();
  for (const FewTokens& f : few)
    all.push_back({{"layer", f.layer}, {"expert", f.expert}, {"tokens", f.tokens}});
  return all;
}

}  // namespace zp
