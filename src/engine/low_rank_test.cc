// What adapters add, beside the matrices that have it in them, and gradients beside those of these.
//
// Sample weights are multiples of 1/64, and so is B A here: the merged weights are exact, so both
// models are one. A sum of K products is off by (K / 16 + 5) sqrt(K) u of its size (engine_test.cc),
// u = 2^-24, and a linear is three sums in place of one, of which two are of parts that are together
// at most twice as large as their sum: 2 sqrt(3) of the one model's error and 1 of the other's.
#include "engine/low_rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "engine/engine.h"
#include "model/exact_network.h"
#include "model/network.h"
#include "model/sample_models.h"
#include "tensor/merged_rows.h"

namespace zp {
namespace {

const std::vector<std::int32_t> kIds = {3, 17, 42, 8, 8, 31, 0, 49, 25};
constexpr std::int64_t kRank = 4;
constexpr double kLongest = 192;
constexpr double kBoth = 1 + 2 * 1.7320508;

double error_of_sums(double sums) {
  return kBoth * (kLongest / 16 + 5) * std::sqrt(sums * kLongest) * 0x1p-24;
}

// -1/8, 0 and 1/8.
std::vector<float> small_values(std::int64_t count, Random& random) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back((static_cast<float>(random.below(3)) - 1) / 8);
  return out;
}

struct Adapter {
  std::int64_t inputs;
  std::int64_t outputs;
  std::vector<float> a;
  std::vector<float> b;
  LowRank low_rank() const { return {{a.data(), kRank, inputs}, {b.data(), outputs, kRank}, 1}; }
};

using Adapters = std::map<Place, Adapter>;

Adapters adapters_of(const Model& model) {
  const Network network = record(model);
  Random random(5);
  Adapters out;
  for (const Weight& w : model.weights) {
    const TensorUse& use = w.use;
    if (!use.is_matrix() || use.place.layer < 0 || stays_float(use.place.role) ||
        !input_of(network, use))
      continue;
    std::vector<float> a = small_values(kRank * use.cols, random);
    out.emplace(use.place,
                Adapter{use.cols, use.rows, std::move(a), small_values(use.rows * kRank, random)});
  }
  return out;
}

// The model with the adapters in its weights; borrows both.
Model merged(const Model& model, const Adapters& adapters) {
  Model out;
  out.architecture = model.architecture;
  out.decoder = model.decoder;
  for (const Weight& w : model.weights) {
    out.weights.push_back(w);
    const auto found = adapters.find(w.use.place);
    if (found == adapters.end() || w.use.part != Part::weight) continue;
    const Adapter& adapter = found->second;
    out.derived.push_back(
        merged_rows(std::shared_ptr<const RowReader>(std::shared_ptr<void>(), w.rows),
                    constant_rows(adapter.a, kRank, adapter.inputs),
                    constant_rows(adapter.b, adapter.outputs, kRank), 1));
    out.weights.back().rows = out.derived.back().get();
  }
  return out;
}

std::vector<float> floats(const Activations& x) {
  std::vector<float> all;
  for (std::int64_t r = 0; r < x.rows(); ++r)
    all.insert(all.end(), x.view().row(r).begin(), x.view().row(r).end());
  return all;
}

// What is found of gradients, of matrices and of adapters.
class Found final : public WeightGradients {
 public:
  explicit Found(const Adapters& adapters) : adapters_(adapters) {}
  bool wants(Place place) const override { return adapters_.contains(place); }
  void add_rows(Place place, std::int64_t begin, Matrix gradient) override {
    std::vector<double>& of = matrices.at(place);
    for (std::int64_t r = 0; r < gradient.rows; ++r) {
      for (std::int64_t c = 0; c < gradient.cols; ++c)
        of[static_cast<std::size_t>((begin + r) * gradient.cols + c)] +=
            gradient.row(r)[static_cast<std::size_t>(c)];
    }
  }
  void add_norm(Place, Floats) override {}
  void add_adapter(Place place, const LowRankGradient& gradient) override {
    of_adapters[place] = gradient;
  }
  void make_room() {
    for (const auto& [place, adapter] : adapters_)
      matrices[place].resize(static_cast<std::size_t>(adapter.inputs * adapter.outputs));
  }
  std::map<Place, std::vector<double>> matrices;
  std::map<Place, LowRankGradient> of_adapters;

 private:
  const Adapters& adapters_;
};

// A model's logits, and the gradients where half of each logit is that of itself.
class Computed {
 public:
  Computed(const Model& model, const Adapters& adapters, bool adapt, int threads)
      : team_(threads), found(adapters), engine_(model, team_) {
    for (const auto& [place, adapter] : adapters) {
      low_ranks_.emplace(place, adapter.low_rank());
      if (adapt) engine_.adapt(place, low_ranks_.at(place));
    }
    found.make_room();
    KvCache cache = engine_.make_cache(std::ssize(kIds));
    const Chunk chunk{&cache, kIds};
    std::vector<ValueId> all(engine_.network().steps.size());
    std::iota(all.begin(), all.end(), ValueId{0});
    const auto values = engine_.run({&chunk, 1}, {}, all);
    const Activations& last = values.at(engine_.network().logits());
    logits = floats(last);
    std::map<ValueId, Activations> seed;
    seed.emplace(engine_.network().logits(), engine_.copy_of(last.view()));
    engine_.backward({&chunk, 1}, values, std::move(seed), 0, all.size(), found);
  }

 private:
  Team team_;
  std::map<Place, LowRank> low_ranks_;

 public:
  std::vector<float> logits;
  Found found;

 private:
  Engine engine_;
};

TEST(LowRank, AddsWhatMergedWeightsHave) {
  const double error = error_of_sums(2 * 9 + 1);
  for (const SampleModel& sample : sample_models()) {
    const Adapters adapters = adapters_of(sample.model);
    ASSERT_FALSE(adapters.empty()) << sample.name;
    const Model whole = merged(sample.model, adapters);
    const ExactRows exact = exact_logits(whole, kIds, false);
    const Computed plain(sample.model, {}, false, 1);
    const Computed apart(sample.model, adapters, true, 1);
    const Computed together(whole, adapters, false, 1);
    EXPECT_EQ(apart.logits, Computed(sample.model, adapters, true, 3).logits) << sample.name;
    EXPECT_NE(apart.logits, plain.logits) << sample.name;
    for (std::int64_t r = 0; r < exact.rows; ++r) {
      double squares = 0;
      for (std::int64_t j = 0; j < exact.cols; ++j) {
        const auto at = static_cast<std::size_t>(r * exact.cols + j);
        squares += std::pow(static_cast<double>(apart.logits[at]) - together.logits[at], 2);
      }
      EXPECT_LE(std::sqrt(squares), error * exact_length(exact.row(r)))
          << sample.name << ", token " << r;
    }
  }
}

double length(const std::vector<double>& x) { return exact_length(x); }
double length(const std::vector<float>& x) {
  return exact_length(std::vector<double>(x.begin(), x.end()));
}

// dA = B^T dW, dB = dW A^T; three times as many sums as forwards.
TEST(LowRank, HasTheGradientsThatFollowFromTheMatrix) {
  const double error = error_of_sums(3 * (2 * 9 + 1));
  int seen = 0;
  for (const SampleModel& sample : sample_models()) {
    const Adapters adapters = adapters_of(sample.model);
    const Model whole = merged(sample.model, adapters);
    const Computed apart(sample.model, adapters, true, 1);
    const Computed others(sample.model, adapters, true, 3);
    const Computed together(whole, adapters, false, 2);
    for (const auto& [place, gradient] : apart.found.of_adapters) {
      ++seen;
      const LowRankGradient& other = others.found.of_adapters.at(place);
      EXPECT_EQ(gradient.a, other.a) << sample.name;
      EXPECT_EQ(gradient.b, other.b) << sample.name;
      const Adapter& adapter = adapters.at(place);
      const std::vector<double>& dw = together.found.matrices.at(place);
      const auto cols = static_cast<std::size_t>(adapter.inputs);
      const auto rank = static_cast<std::size_t>(kRank);
      std::vector<double> da(gradient.a.begin(), gradient.a.end());
      std::vector<double> db(gradient.b.begin(), gradient.b.end());
      for (std::size_t i = 0; i < dw.size(); ++i) {
        const std::size_t row = i / cols;
        const std::size_t col = i % cols;
        for (std::size_t k = 0; k < rank; ++k) {
          da[k * cols + col] -= static_cast<double>(adapter.b[row * rank + k]) * dw[i];
          db[row * rank + k] -= dw[i] * static_cast<double>(adapter.a[k * cols + col]);
        }
      }
      EXPECT_LE(length(da), error * length(adapter.b) * length(dw)) << sample.name;
      EXPECT_LE(length(db), error * length(adapter.a) * length(dw)) << sample.name;
    }
  }
  EXPECT_GT(seen, 100);
}

}  // namespace
}  // namespace zp
