// The convolution against its sums one by one, and sequences that go on from their state.
#include "engine/convolution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "engine/engine.h"
#include "kernel/every_instruction_set.h"
#include "model/sample_models.h"

namespace zp {
namespace {

constexpr std::int64_t kSeen = 4;
constexpr std::int64_t kTokens = 11;
constexpr std::int64_t kWidth = 37;

std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(static_cast<float>(random.normal()));
  return all;
}

float& at(std::vector<float>& rows, std::int64_t r, std::int64_t c) {
  return rows[static_cast<std::size_t>(r * kWidth + c)];
}

TEST(Convolution, IsTheSumOverTheTokensItSeesTheOldestFirst) {
  std::vector<float> x = normals(kTokens * kWidth, 1);
  std::vector<float> taps = normals(kSeen * kWidth, 2);
  for (const bool biased : {false, true}) {
    const std::vector<float> bias = biased ? normals(kWidth, 3) : std::vector<float>();
    std::vector<float> expected;
    for (std::int64_t t = 0; t < kTokens; ++t) {
      for (std::int64_t c = 0; c < kWidth; ++c) {
        float sum = biased ? bias[static_cast<std::size_t>(c)] : 0;
        for (std::int64_t i = 0; i < kSeen; ++i) {
          const std::int64_t token = t - (kSeen - 1 - i);
          if (token >= 0) sum = std::fma(at(x, token, c), at(taps, i, c), sum);
        }
        expected.push_back(sum);
      }
    }
    const Convolution convolution{{taps.data(), kSeen, kWidth}, bias};
    under_every_instruction_set([&] {
      for (const std::int64_t step : {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, kTokens}) {
        // What it was before the sequence is never read.
        std::vector<float> state((kSeen - 1) * kWidth, std::nanf(""));
        std::vector<float> out(x.size());
        for (std::int64_t first = 0; first < kTokens; first += step) {
          const std::int64_t count = std::min(step, kTokens - first);
          const Matrix rows(&at(x, first, 0), count, kWidth);
          const TokenRun run{nullptr, 0, count, first};
          for (std::int64_t r = 0; r < count; ++r)
            convolution.compute(rows, run, state, r, {&at(out, first + r, 0), kWidth});
          convolution.keep(rows, run, state);
        }
        expect_same_bits(out, expected);
      }
    });
  }
}

std::vector<float> logits(Engine& engine, std::span<const Chunk> chunks) {
  const Activations hidden = engine.forward(chunks);
  const Activations rows = engine.logits(hidden.view());
  std::vector<float> all;
  for (std::int64_t r = 0; r < rows.rows(); ++r)
    all.insert(all.end(), rows.view().row(r).begin(), rows.view().row(r).end());
  return all;
}

// Two sequences of which one is a token ahead go through together, whatever was in their caches.
TEST(Convolution, SequencesGoOnFromTheirStatesToTheSameBits) {
  const std::vector<std::int32_t> ids = {3, 17, 42, 8, 8, 31, 0, 49, 25, 11, 6, 30};
  const std::span<const std::int32_t> all(ids);
  for (const SampleModel& sample : sample_models()) {
    if (sample.model.decoder.convolution == 0) continue;
    const Team team(2);
    Engine engine(sample.model, team);
    const std::int64_t rows = sample.model.decoder.vocabulary;
    KvCache one = engine.make_cache(std::ssize(ids));
    KvCache two = engine.make_cache(std::ssize(ids));
    const Chunk whole{&one, all};
    const std::vector<float> expected = logits(engine, {&whole, 1});
    EXPECT_EQ(one.truncate(5), 0) << "a state goes nowhere back";
    const Chunk other{&two, all.last(7)};
    logits(engine, {&other, 1});
    two.truncate(0);
    const Chunk first{&one, all.first(1)};
    logits(engine, {&first, 1});
    const auto row_of = [&](std::int64_t token) {
      const auto begin = expected.begin() + token * rows;
      return std::vector<float>(begin, begin + rows);
    };
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const Chunk both[] = {{&two, all.subspan(i, 1)}, {&one, all.subspan(i + 1, 1)}};
      std::vector<float> steps = row_of(static_cast<std::int64_t>(i));
      const std::vector<float> ahead = row_of(static_cast<std::int64_t>(i) + 1);
      steps.insert(steps.end(), ahead.begin(), ahead.end());
      EXPECT_EQ(logits(engine, both), steps) << sample.name << ", token " << i;
    }
    EXPECT_EQ(two.truncate(two.length()), std::ssize(ids) - 1);
    KvCache wider = two.resized(sample.model.decoder, 20);
    const Chunk last{&wider, all.last(1)};
    EXPECT_EQ(logits(engine, {&last, 1}), row_of(std::ssize(ids) - 1)) << sample.name;
  }
}

}  // namespace
}  // namespace zp
