#include <gtest/gtest.h>

#include "base/error.h"
#include "method/rewrite.h"

namespace zp {
namespace {

// What a spec leaves out it says in full, and read again it says the same.
TEST(Options, SpecsAreReadAsTheyAreSpelled) {
  EXPECT_EQ(make_coder("mse")->spec(), "mse");
  EXPECT_EQ(make_coder("gptq")->spec(), "gptq:upstream=on,order=off,sweeps=3,floats=keep");
  EXPECT_EQ(make_coder("gptq:damp=0.5,floats=adjust")->spec(),
            "gptq:upstream=on,order=off,damp=0.5,sweeps=3,floats=adjust");
  for (const char* spec : {"gptq:order=on,shrink=0.25", "gptq:damp=0.1", "nearest",
                           "nearest:observer=percentile,percentile=99.9", "hqq"}) {
    const std::string full = make_coder(spec)->spec();
    EXPECT_EQ(make_coder(full)->spec(), full);
  }
  EXPECT_EQ(parse_rewrites("smoothquant").front()->spec(), "smoothquant:alpha=0.5");
}

TEST(Options, WhoSaysHowFarMomentsAreDampedHasThemNotShrunk) {
  EXPECT_EQ(make_coder("gptq")->feedback()->shrink, std::nullopt);
  EXPECT_EQ(make_coder("gptq:damp=0.1")->feedback()->shrink, 0.0);
  EXPECT_EQ(make_coder("gptq:damp=0.1,shrink=2")->feedback()->shrink, 2.0);
  EXPECT_EQ(make_coder("gptq:shrink=2,damp=0.1")->feedback()->shrink, 2.0);
}

TEST(Options, EveryOptionOfEveryMethodIsSaidToPeople) {
  for (const auto& coder : coders()) {
    for (const Option& option : coder->options()) {
      EXPECT_FALSE(option.values.empty()) << coder->name() << ' ' << option.name;
      EXPECT_THROW(option.read("where", "?"), UsageError) << coder->name() << ' ' << option.name;
    }
  }
}

}  // namespace
}  // namespace zp
