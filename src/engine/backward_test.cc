// Gradients of whole small models of every architecture against FP64: how much a weighted sum f of
// the logits changes where one weight w goes a little way d in a random direction.
//
// f(w + d) - f(w - d) is 2 g d and terms of third order in d; half the way has half of the one and an eighth of the
// others. So the whole way and twice the half one differ by three quarters of these terms, and 8/3 of the half way less
// a third of the whole one is without them. The steps are whole multiples of 2^-19, and sample weights of 1/64 below 16: what is
// stepped to is exact in FP32.
//
// FP32's part: a sum of K products is off by at most (K / 16 + 5) sqrt(K) u of its size
// (engine_test.cc), u = 2^-24; forwards and back there are three times the sums there are forwards, of
// independent errors. What g d can be off by is that of |g| |d|, as large as |d| can make it.
#include "engine/backward.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/engine.h"
#include "model/exact_network.h"
#include "model/sample_models.h"

namespace zp {
namespace {

const std::vector<std::int32_t> kIds = {4, 18, 43, 9, 9, 30, 1, 48, 26};

// dL/dW of every weight, L = sum of `factors` times logits.
class Gradients final : public WeightGradients {
 public:
  explicit Gradients(const Model& model) {
    for (const Weight& w : model.weights) {
      if (w.use.part == Part::weight)
        of_[w.use.place].resize(static_cast<std::size_t>(w.use.rows * w.use.cols));
    }
  }
  bool wants(Place place) const override { return of_.contains(place); }
  void add_rows(Place place, std::int64_t begin, Matrix gradient) override {
    std::vector<double>& of = of_.at(place);
    for (std::int64_t r = 0; r < gradient.rows; ++r) {
      for (std::int64_t c = 0; c < gradient.cols; ++c)
        of[static_cast<std::size_t>((begin + r) * gradient.cols + c)] +=
            gradient.row(r)[static_cast<std::size_t>(c)];
    }
  }
  void add_norm(Place place, Floats gradient) override {
    std::ranges::transform(of_.at(place), gradient, of_.at(place).begin(), std::plus());
  }
  const std::vector<double>& of(Place place) const { return of_.at(place); }

 private:
  std::map<Place, std::vector<double>> of_;
};

std::vector<float> random_factors(std::size_t count) {
  Random random(11);
  std::vector<float> out;
  while (out.size() < count) out.push_back(static_cast<float>(random.normal()));
  return out;
}

// Of -2, -1, 0, 1 and 2.
std::vector<float> random_direction(std::size_t count) {
  Random random(7);
  std::vector<float> out;
  while (out.size() < count) out.push_back(static_cast<float>(random.below(5)) - 2);
  return out;
}

Gradients gradients_of(const Model& model, const std::vector<float>& factors) {
  const Team team(2);
  Engine engine(model, team);
  KvCache cache = engine.make_cache(std::ssize(kIds));
  const Chunk chunk{&cache, kIds};
  std::vector<ValueId> all(engine.network().steps.size());
  std::iota(all.begin(), all.end(), ValueId{0});
  const auto values = engine.run({&chunk, 1}, {}, all);
  std::map<ValueId, Activations> seed;
  seed.emplace(engine.network().logits(),
               engine.copy_of({factors.data(), std::ssize(kIds), model.decoder.vocabulary}));
  Gradients out(model);
  engine.backward({&chunk, 1}, values, std::move(seed), 0, all.size(), out);
  return out;
}

// f with weight `index` gone so far.
double sum_of_logits(const Model& model, std::size_t index, const std::vector<float>& direction,
                     float by, const std::vector<float>& factors) {
  const Weight& w = model.weights[index];
  std::vector<float> values(direction.size());
  w.rows->read(0, w.use.rows, values.data());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += by * direction[i];
  const auto rows = constant_rows(std::move(values), w.use.rows, w.use.cols);
  Model changed;
  changed.architecture = model.architecture;
  changed.decoder = model.decoder;
  for (const Weight& each : model.weights)
    changed.weights.push_back({each.use, each.rows, each.stored_type});
  changed.weights[index].rows = rows.get();
  const ExactRows logits = exact_logits(changed, kIds, false);
  return std::inner_product(factors.begin(), factors.end(), logits.values.begin(), 0.0);
}

bool is_trained(const TensorUse& use) {
  return use.part == Part::weight && (is_matrix(use.place.role) || is_norm(use.place.role)) &&
         use.place.role != Role::position;
}

TEST(Backward, GivesEveryWeightsGradient) {
  constexpr double kLongest = 192;
  constexpr double kSums = 3 * (2 * 9 + 1);
  const double error = (kLongest / 16 + 5) * std::sqrt(kSums * kLongest) * 0x1p-24;
  for (const SampleModel& sample : sample_models()) {
    const Model& model = sample.model;
    const std::vector<float> factors =
        random_factors(kIds.size() * static_cast<std::size_t>(model.decoder.vocabulary));
    const Gradients gradients = gradients_of(model, factors);
    for (std::size_t i = 0; i < model.weights.size(); ++i) {
      const TensorUse& use = model.weights[i].use;
      if (!is_trained(use)) continue;
      const std::vector<double>& gradient = gradients.of(use.place);
      const std::vector<float> direction = random_direction(gradient.size());
      const auto change = [&](float by) {
        return sum_of_logits(model, i, direction, by, factors) -
               sum_of_logits(model, i, direction, -by, factors);
      };
      constexpr float kWay = 0x1p-18f;
      const double whole = change(kWay);
      const double half = change(kWay / 2);
      const auto product = [](const auto& x, const auto& y) {
        return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
      };
      const double most = std::sqrt(product(gradient, gradient) * product(direction, direction));
      EXPECT_NEAR(2 * kWay * product(gradient, direction), (8 * half - whole) / 3,
                  std::fabs(2 * half - whole) + 2 * kWay * error * most)
          << sample.name << ", " << role_name(use.place.role) << " of layer " << use.place.layer;
    }
  }
}

}  // namespace
}  // namespace zp
