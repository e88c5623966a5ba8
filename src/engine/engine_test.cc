// The network in pieces: whatever is given of what was computed before, the rest has the same bits.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <numeric>

#include "model/sample_models.h"

namespace zp {
namespace {

const std::vector<std::int32_t> kIds = {3, 17, 42, 8, 8, 31, 0, 49, 25};

std::vector<float> floats(const Activations& x) {
  std::vector<float> all;
  for (std::int64_t r = 0; r < x.rows(); ++r)
    all.insert(all.end(), x.view().row(r).begin(), x.view().row(r).end());
  return all;
}

class Pieces {
 public:
  explicit Pieces(const Model& model)
      : engine_(model, team_), cache_(engine_.make_cache(std::ssize(kIds))) {}

  const Network& network() const { return engine_.network(); }
  std::map<ValueId, Activations> run(std::map<ValueId, Activations> given,
                                     std::vector<ValueId> wanted) {
    const Chunk chunk{&cache_, kIds};
    return engine_.run({&chunk, 1}, std::move(given), wanted);
  }
  std::vector<float> logits_from(std::map<ValueId, Activations> given) {
    return floats(run(std::move(given), {network().logits()}).at(network().logits()));
  }

 private:
  Team team_{1};
  Engine engine_;
  KvCache cache_;
};

TEST(Engine, GoesOnFromWhatIsNeededBehindAnyStep) {
  for (const SampleModel& sample : sample_models()) {
    Pieces pieces(sample.model);
    const std::vector<float> whole = pieces.logits_from({});
    for (ValueId i = 0; i < pieces.network().logits(); ++i) {
      EXPECT_EQ(pieces.logits_from(pieces.run({}, needed_behind(pieces.network(), i))), whole)
          << sample.name << ", step " << i;
      EXPECT_EQ(pieces.logits_from(pieces.run({}, needed_without(pieces.network(), i))), whole)
          << sample.name << ", without step " << i;
    }
  }
}

// Operations work in place; a value that is wanted, too, must not change by that.
TEST(Engine, WantedValuesStayAsTheyAre) {
  for (const SampleModel& sample : sample_models()) {
    Pieces pieces(sample.model);
    std::vector<ValueId> all(pieces.network().steps.size());
    std::iota(all.begin(), all.end(), ValueId{0});
    const auto together = pieces.run({}, all);
    ASSERT_EQ(together.size(), all.size());
    for (const auto& [value, rows] : together) {
      EXPECT_EQ(rows.cols(), pieces.network().steps[value].width);
      EXPECT_EQ(floats(rows), floats(pieces.run({}, {value}).at(value)))
          << sample.name << ", step " << value;
    }
  }
}

}  // namespace
}  // namespace zp
