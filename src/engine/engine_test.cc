// The network in pieces: whatever is given of what was computed before, the rest has the same bits.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "model/exact_network.h"
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

// A sum of K products runs in sixteen lanes: K / 16 + 5 roundings of 2^-24 meet each product, and
// products of random signs add up to less than their magnitudes do by sqrt(K). Errors of sums are
// independent; what a norm brings back to size 1 reaches the logits in proportion to their size.
TEST(Engine, ComputesTheNetworkToFp32) {
  constexpr double kLongest = 192;  // all heads
  constexpr double kSums = 2 * 9 + 1;
  const double error = (kLongest / 16 + 5) * std::sqrt(kSums * kLongest) * 0x1p-24;
  for (const SampleModel& sample : sample_models()) {
    Pieces pieces(sample.model);
    const ExactRows exact = exact_logits(sample.model, kIds);
    const std::vector<float> found = pieces.logits_from({});
    for (std::int64_t r = 0; r < exact.rows; ++r) {
      double squares = 0;
      for (std::int64_t j = 0; j < exact.cols; ++j) {
        const auto at = static_cast<std::size_t>(r * exact.cols + j);
        squares += std::pow(static_cast<double>(found[at]) - exact.values[at], 2);
      }
      EXPECT_LE(std::sqrt(squares), error * exact_length(exact.row(r)))
          << sample.name << ", token " << r;
    }
  }
}

}  // namespace
}  // namespace zp
