// The rows of every architecture.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "model/architecture.h"

namespace zp {
namespace {

TEST(Fields, AreToldOnce) {
  for (const Architecture* a : architectures()) {
    std::vector<std::string_view> names;
    std::vector<std::string_view> keys;
    for (const Field& field : a->fields) {
      names.push_back(field.config);
      names.push_back(field.older);
      keys.push_back(field.gguf);
    }
    for (auto* all : {&names, &keys}) {
      std::erase(*all, "");
      std::ranges::sort(*all);
      const auto twice = std::ranges::adjacent_find(*all);
      EXPECT_TRUE(twice == all->end()) << a->name << " " << *twice;
    }
    EXPECT_TRUE(std::ranges::binary_search(keys, "block_count")) << a->name;
    EXPECT_TRUE(std::ranges::binary_search(keys, "attention.key_length")) << a->name;
  }
}

bool has_meaning(const Field& field) {
  if (const auto* count = std::get_if<Count>(&field.value)) return count->otherwise != nullptr;
  if (const auto* positive = std::get_if<Positive>(&field.value))
    return positive->otherwise.has_value();
  return true;
}

TEST(Fields, HaveAMeaningWhereTheirAbsenceHasConfigJsons) {
  for (const Architecture* a : architectures()) {
    for (const Field& field : a->fields)
      EXPECT_TRUE(field.unsaid != Unsaid::usual || has_meaning(field)) << a->name << field.gguf;
  }
}

}  // namespace
}  // namespace zp
