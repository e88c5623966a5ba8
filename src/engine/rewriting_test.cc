// Columns scaled by powers of two: not a bit of the logits changes, for a product with one is exact
// and passes every sum. The links come from the record; so does whatever computes here.
#include "model/rewriting.h"

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "model/sample_models.h"

namespace zp {
namespace {

std::vector<float> logits_of(const Model& model) {
  const std::vector<std::int32_t> ids = {3, 17, 42, 8, 8, 31, 0, 49, 25};
  const Team team(1);
  Engine engine(model, team);
  KvCache cache = engine.make_cache(std::ssize(ids));
  const Chunk chunk{&cache, ids};
  const Activations hidden = engine.forward({&chunk, 1});
  const Activations logits = engine.logits(hidden.view());
  std::vector<float> all;
  for (std::int64_t r = 0; r < logits.rows(); ++r)
    all.insert(all.end(), logits.view().row(r).begin(), logits.view().row(r).end());
  return all;
}

// 2^-6 to 1: norms that hold what they multiply by less one keep all their bits when they grow.
std::vector<float> random_factors(std::int64_t count, Random& random) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back(std::ldexp(1.0f, -static_cast<int>(random.below(7))));
  return out;
}

TEST(ScaledColumns, ChangeNoBitOfTheLogits) {
  for (const SampleModel& sample : sample_models()) {
    Random random(3);
    Rewriting changes;
    for (const ScaleLink& link : find_cancellations(sample.model).links)
      add_factors(changes, link, random_factors(link.writer_width, random));
    const Model scaled = rewritten(sample.model, changes);
    EXPECT_EQ(logits_of(scaled), logits_of(sample.model)) << sample.name;
  }
}

TEST(ScaledColumns, ThatAreNotMadeUpForChangeThem) {
  for (const SampleModel& sample : sample_models()) {
    const std::vector<float> before = logits_of(sample.model);
    for (const ScaleLink& link : find_cancellations(sample.model).links) {
      std::vector<float> factors(static_cast<std::size_t>(link.writer_width), 1.0f);
      factors[static_cast<std::size_t>(link.source.front())] = 0.5f;
      Rewriting changes;
      add_factors(changes, link, factors);
      changes.erase(link.writer);
      EXPECT_NE(logits_of(rewritten(sample.model, changes)), before)
          << sample.name << ", " << role_name(link.readers.front().role);
    }
  }
}

}  // namespace
}  // namespace zp
