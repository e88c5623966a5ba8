#include "tune/lora.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/engine.h"
#include "kernel/distribution.h"
#include "model/network.h"
#include "model/sample_models.h"

namespace zp {
namespace {

SampleModel llama() {
  Decoder decoder = sample_decoder("llama");
  return sample_model("llama", decoder);
}

std::vector<Place> places_of(const Model& model) {
  const Network network = record(model);
  std::vector<Place> places;
  for (const Weight& w : model.weights) {
    if (w.use.is_matrix() && w.use.place.layer >= 0 && input_of(network, w.use))
      places.push_back(w.use.place);
  }
  return places;
}

// Of 24 tokens below `vocabulary`, the last third of which are to be said.
std::vector<Lesson> random_lessons(std::int64_t count, std::uint64_t seed,
                                   std::uint32_t vocabulary = 50) {
  Random random(seed);
  std::vector<Lesson> out(static_cast<std::size_t>(count));
  for (Lesson& lesson : out) {
    for (int i = 0; i < 24; ++i)
      lesson.ids.push_back(static_cast<std::int32_t>(random.below(vocabulary)));
    lesson.said = 16;
    lesson.document = &lesson - out.data() + 1;
  }
  return out;
}

LoraResult trained(const Model& model, std::span<const Lesson> lessons,
                   std::span<const Lesson> held_out, const LoraOptions& options, int threads = 2) {
  Silent silent;
  const Team team(threads);
  return train_lora(model, places_of(model), lessons, held_out, options, team, silent);
}

LoraOptions fast() {
  LoraOptions options;
  options.rank = 4;
  options.alpha = 8;
  options.schedule.rate = 0.02;
  options.schedule.passes = 10;
  options.schedule.batch = 2;
  return options;
}

// The mean of -log q over the tokens that are to be said, by the engine alone.
double loss_of(const Model& model, std::span<const Lesson> lessons,
               std::span<const Adapter> adapters) {
  const Team team(1);
  Engine engine(model, team);
  std::map<Place, LowRank> low_ranks;
  for (const Adapter& adapter : adapters) {
    low_ranks.emplace(adapter.place, adapter.low_rank());
    engine.adapt(adapter.place, low_ranks.at(adapter.place));
  }
  double sum = 0;
  double count = 0;
  for (const Lesson& lesson : lessons) {
    KvCache cache = engine.make_cache(std::ssize(lesson.ids));
    const Chunk chunk{&cache, lesson.ids};
    const Activations hidden = engine.forward({&chunk, 1});
    const Activations logits = engine.logits(hidden.view());
    for (auto t = static_cast<std::size_t>(lesson.said); t < lesson.ids.size(); ++t) {
      const Floats row = logits.view().row(static_cast<std::int64_t>(t) - 1);
      sum += log_sum(row) - static_cast<double>(row[static_cast<std::size_t>(lesson.ids[t])]);
      ++count;
    }
  }
  return sum / count;
}

TEST(Lora, LearnsWhatIsToBeSaidAndKeepsTheBest) {
  const SampleModel sample = llama();
  const std::vector<Lesson> lessons = random_lessons(6, 1);
  const LoraResult out = trained(sample.model, lessons, {}, fast());
  EXPECT_EQ(out.steps, 30);
  EXPECT_EQ(out.looks.size(), 9u);
  EXPECT_LT(out.looks[out.best].held_out, 0.7 * out.looks.front().held_out);
  EXPECT_FALSE(out.stopped);
  // Sums over tokens in two orders, of losses near 4 in FP64.
  EXPECT_NEAR(out.looks.front().held_out, loss_of(sample.model, lessons, {}), 1e-12);
  EXPECT_NEAR(out.looks[out.best].held_out, loss_of(sample.model, lessons, out.adapters), 1e-12);
}

TEST(Lora, IsTheSameForEveryNumberOfThreads) {
  const SampleModel sample = llama();
  LoraOptions options = fast();
  options.schedule.passes = 2;
  const std::vector<Lesson> lessons = random_lessons(5, 1);
  const LoraResult one = trained(sample.model, lessons, {}, options, 1);
  const LoraResult three = trained(sample.model, lessons, {}, options, 3);
  ASSERT_EQ(one.adapters.size(), places_of(sample.model).size());
  for (std::size_t i = 0; i < one.adapters.size(); ++i) {
    EXPECT_EQ(one.adapters[i].a, three.adapters[i].a);
    EXPECT_EQ(one.adapters[i].b, three.adapters[i].b);
  }
  options.schedule.seed = 1;
  EXPECT_NE(trained(sample.model, lessons, {}, options).adapters[0].a, one.adapters[0].a);
}

TEST(Lora, KeepsTheModelWhereNothingIsBetter) {
  const SampleModel sample = llama();
  LoraOptions options = fast();
  options.schedule.rate = 1;
  const LoraResult out = trained(sample.model, random_lessons(6, 1), random_lessons(2, 2), options);
  EXPECT_EQ(out.best, 0u);
  for (const Adapter& adapter : out.adapters) {
    for (const float v : adapter.b) ASSERT_EQ(v, 0);
  }
}

// A token whose row of the embedding is infinite, in one lesson.
TEST(Lora, StopsWhereALossIsNoNumberAndKeepsWhatWasGood) {
  SampleModel sample = llama();
  ASSERT_FALSE(sample.model.decoder.tied);
  for (Weight& w : sample.model.weights) {
    if (w.use.place.role != Role::embedding) continue;
    std::vector<float> values(static_cast<std::size_t>(w.use.rows * w.use.cols));
    w.rows->read(0, w.use.rows, values.data());
    std::fill(values.end() - w.use.cols, values.end(), std::numeric_limits<float>::infinity());
    sample.model.derived.push_back(constant_rows(std::move(values), w.use.rows, w.use.cols));
    w.rows = sample.model.derived.back().get();
  }
  std::vector<Lesson> lessons = random_lessons(40, 1, 49);
  const std::vector<Lesson> good(lessons.begin(), lessons.begin() + 4);
  lessons[20].ids[3] = 49;
  LoraOptions options = fast();
  options.schedule.batch = 1;
  options.schedule.passes = 1;
  bool stopped_early = false;
  bool kept = false;
  for (options.schedule.seed = 0; options.schedule.seed < 40 && !(kept && stopped_early);
       ++options.schedule.seed) {
    try {
      const LoraResult out = trained(sample.model, lessons, good, options);
      ASSERT_TRUE(out.stopped);
      EXPECT_TRUE(out.stopped->parts().found.ends_with(", on document 21"));
      EXPECT_GT(out.best, 0u);
      EXPECT_NEAR(out.looks[out.best].held_out, loss_of(sample.model, good, out.adapters), 1e-12);
      kept = true;
    } catch (const Error& error) {
      EXPECT_EQ(error.parts().what, "the loss is no number");
      stopped_early = true;
    }
  }
  EXPECT_TRUE(kept);
  EXPECT_TRUE(stopped_early);
  // From the beginning on.
  EXPECT_THROW(trained(sample.model, good, std::span(lessons).subspan(20, 1), options), Error);
}

}  // namespace
}  // namespace zp
