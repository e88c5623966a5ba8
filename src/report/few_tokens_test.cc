#include "report/few_tokens.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"

namespace zp {
namespace {

TEST(FewTokens, AreALineForEachLayer) {
  const std::vector<FewTokens> few = {{1, 3, 0}, {1, 5, 31}, {4, 0, 1}};
  EXPECT_EQ(
      to_text(few),
      "layer 1: the text hardly reaches experts 3 (0 tokens), 5 (31 tokens): other tokens of "
      "the layer count, too\n"
      "layer 4: the text hardly reaches experts 0 (1 token): other tokens of the layer count, "
      "too\n");
  EXPECT_EQ(to_text(std::vector<FewTokens>()), "");
  EXPECT_EQ(to_json(few).size(), 3u);
  EXPECT_EQ(to_json(few)[1]["tokens"], 31);
}

}  // namespace
}  // namespace zp
