#include "text/joined.h"

#include <gtest/gtest.h>

namespace zp {
namespace {

TEST(Joined, MarksAndSignsBelongToTheCharacterBefore) {
  EXPECT_TRUE(is_joined(U'e', U'\u0301'));
  EXPECT_TRUE(is_joined(U'\u0995', U'\u09BE'));
  EXPECT_TRUE(is_joined(U'\u0995', U'\u09CD'));
  EXPECT_TRUE(is_joined(0, U'\u200D'));
  EXPECT_FALSE(is_joined(U'a', U'b'));
  EXPECT_FALSE(is_joined(U'\u0995', U'\u0995'));
  EXPECT_FALSE(is_joined(0, U' '));
}

TEST(Joined, AViramaMakesConjuncts) {
  EXPECT_TRUE(is_joined(U'\u09CD', U'\u09AF'));
  EXPECT_FALSE(is_joined(U'\u09CD', U' '));
  EXPECT_FALSE(is_joined(U'\u09CD', U'a'));
}

}  // namespace
}  // namespace zp
