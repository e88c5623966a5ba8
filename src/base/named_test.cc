#include "base/named.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

const std::vector<std::string> kGrids = {"q4_k_m", "q4_k_s", "q8_0", "fp16", "int4"};

TEST(Named, TheClosestNameIsMeant) {
  EXPECT_EQ(closest_name("Q4_KM", kGrids), "q4_k_m");
  EXPECT_EQ(closest_name("q80", kGrids), "q8_0");
  EXPECT_EQ(closest_name("itn4", kGrids), "int4") << "two letters swapped";
  EXPECT_EQ(closest_name("pf1", kGrids), "") << "two letters of three";
  EXPECT_EQ(closest_name("", kGrids), "");
  EXPECT_EQ(closest_name(std::string(1000, 'q'), kGrids), "");
}

TEST(Named, AnUnknownNameIsRefusedWithWhatWasMeantAndAll) {
  struct Thing {
    std::string_view name;
  };
  const Thing one{"nearest"};
  const Thing two{"mse"};
  const std::vector<const Thing*> all = {&one, &two};
  EXPECT_EQ(&find_named(all, &Thing::name, "MSE", "`method`", "method"), &two);
  try {
    find_named(all, &Thing::name, "nearst", "`method`", "method");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "`method`: unknown method (did you mean nearest?): expected nearest, mse, found "
                 "nearst");
  }
}

}  // namespace
}  // namespace zp
