#include "format/front_matter.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(FrontMatter, ReadsTextsAndListsOfThem) {
  const FrontMatter found = read_front_matter(
      "---\r\nlicense: apache-2.0  # a comment\nbase_model:\n- org/a-b\n  - 'org/c'\n"
      "language: [en, \"no\"]\nname: \"a: b\"\n---\nlicense: mit\n");
  EXPECT_EQ(found, (FrontMatter{{"license", {"apache-2.0"}},
                                {"base_model", {"org/a-b", "org/c"}},
                                {"language", {"en", "no"}},
                                {"name", {"a: b"}}}));
}

TEST(FrontMatter, PassesOverWhatItDoesNotKnow) {
  const FrontMatter found = read_front_matter(
      "---\nmodel-index:\n- name: a\n  results:\n  - task: b\ntext: |\n  license: c\nempty:\n"
      "license: mit\nlicense: other\nbroken: \xFF\nescaped: \"\\n\"\n---\n");
  EXPECT_EQ(found.at("license"), std::vector<std::string>{"mit"});
  for (const char* key : {"model-index", "text", "empty", "broken", "escaped"})
    EXPECT_TRUE(found.at(key).empty()) << key;
}

TEST(FrontMatter, IsNothingWithoutBothFences) {
  for (const char* text :
       {"", "license: mit", "---\nlicense: mit\n", "# A model\n---\na: b\n---\n"})
    EXPECT_TRUE(read_front_matter(text).empty()) << text;
}

}  // namespace
}  // namespace zp
