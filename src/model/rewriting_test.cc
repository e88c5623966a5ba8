// A rewritten model computes what its source does: in exact arithmetic, and bounds on how far FP64
// is from that (exact_network.h). The sample models' weights stay exact in FP32 when they are
// turned, so nothing but FP64's rounding is between the two.
#include "model/rewriting.h"

#include <gtest/gtest.h>

#include <bit>

#include "model/exact_network.h"
#include "model/sample_models.h"

namespace zp {
namespace {

const std::vector<std::int32_t> kIds = {3, 17, 42, 8, 8, 31, 0, 49, 25};

Rewriting every_rotation(const Model& model) {
  const Cancellations found = find_cancellations(model);
  Rewriting out;
  if (found.stream.why_not.empty())
    add_stream_rotation(out, model, found, random_rotation(model.decoder.hidden, 1));
  for (const ScaleLink& link : found.links) {
    if (link.mixable > 1) add_rotation(out, link, random_rotation(link.mixable, 2));
  }
  return out;
}

// The largest distance between rows of logits over what it may be.
double distance_over_bound(const ExactRows& a, const ExactRows& b) {
  double most = 0;
  for (std::int64_t r = 0; r < a.rows; ++r) {
    std::vector<double> apart(a.row(r).begin(), a.row(r).end());
    for (std::size_t j = 0; j < apart.size(); ++j) apart[j] -= b.row(r)[j];
    most = std::max(most, exact_length(apart) / (a.off(r) + b.off(r)));
  }
  return most;
}

// Experts and norms behind the halves forbid it to the stream, gates and norms of values to what heads
// give, a matrix of keys and values in turns to values.
bool turns_nowhere(const Decoder& d) {
  return ((d.output_gate || d.latent.rank > 0) && d.experts.count > 0) || d.value_norms;
}

TEST(Rewriting, TurnedSpacesLeaveTheLogitsWithinTheirBound) {
  for (const SampleModel& sample : sample_models()) {
    if (turns_nowhere(sample.model.decoder)) continue;
    const Rewriting changes = every_rotation(sample.model);
    ASSERT_FALSE(changes.empty()) << sample.name;
    const Model turned = rewritten(sample.model, changes);
    const ExactRows before = exact_logits(sample.model, kIds);
    const ExactRows after = exact_logits(turned, kIds);
    EXPECT_LE(distance_over_bound(before, after), 1) << sample.name;
  }
}

TEST(Rewriting, ALinearTurnedOtherwiseThanItsInputIsSeen) {
  for (const SampleModel& sample : sample_models()) {
    if (turns_nowhere(sample.model.decoder)) continue;
    Rewriting changes = every_rotation(sample.model);
    const Role role = sample.model.has(Role::qkv)        ? Role::qkv
                      : sample.model.decoder.output_gate ? Role::attention_output
                                                         : Role::value;
    const std::int64_t layer = sample.model.decoder.layer(1).attends() ? 1 : 2;
    float& sign = changes.at({layer, role}).row_rotation.signs[5];
    sign = -sign;
    const ExactRows before = exact_logits(sample.model, kIds);
    const ExactRows after = exact_logits(rewritten(sample.model, changes), kIds);
    EXPECT_GT(distance_over_bound(before, after), 1) << sample.name;
  }
}

std::vector<float> read(const Model& model, Place place) {
  const Weight& weight = *model.find(place);
  std::vector<float> values(static_cast<std::size_t>(weight.use.rows * weight.use.cols));
  weight.rows->read(0, weight.use.rows, values.data());
  if (model.decoder.norm_plus_one && is_norm(place.role)) {
    for (float& v : values) v += 1;
  }
  return values;
}

// What one element of the writer and one of the reader together pass on. The reader's is rounded
// once, the writer's for its factor and once more; a norm that holds what it multiplies by less one
// is rounded when that is taken away and when it is added again, each time by at most 2^-24 of what
// it multiplies by, for that is at least 1/2.
TEST(Rewriting, AnyFactorsMoveProductsByAFewRoundingsOnly) {
  constexpr double kBound = 5.01 * 0x1p-24;
  for (const SampleModel& sample : sample_models()) {
    const Cancellations found = find_cancellations(sample.model);
    Rewriting changes;
    Random random(8);
    for (const ScaleLink& link : found.links) {
      std::vector<float> factors;
      for (std::int64_t i = 0; i < link.writer_width; ++i)
        factors.push_back(static_cast<float>(random.uniform()));
      add_factors(changes, link, factors);
    }
    const Model scaled = rewritten(sample.model, changes);
    for (const ScaleLink& link : found.links) {
      const Place reader = link.readers.back();
      const std::vector<float> w = read(sample.model, reader), w_scaled = read(scaled, reader);
      const std::vector<float> made = read(sample.model, link.writer);
      const std::vector<float> made_scaled = read(scaled, link.writer);
      for (std::size_t j = 0; j < link.source.size(); ++j) {
        const std::size_t step = made.size() / static_cast<std::size_t>(link.writer_width);
        const std::size_t at = static_cast<std::size_t>(link.source[j]) * step;
        // Both may be scaled on their other side, too, for other links.
        const double before = static_cast<double>(w[j]) * made[at];
        const double after = static_cast<double>(w_scaled[j]) * made_scaled[at];
        const Change& own = changes.at(reader);
        const double row = own.row_factors.empty() ? 1 : static_cast<double>(own.row_factors[0]);
        const Change& its = changes.at(link.writer);
        const double column = link.norm || its.column_factors.empty()
                                  ? 1
                                  : static_cast<double>(its.column_factors[0]);
        const double rounds = 2 * 0x1p-24;  // of the factors that stand beside
        EXPECT_NEAR(after, before * row * column,
                    (kBound + rounds) * std::fabs(before * row * column))
            << sample.name << ", " << role_name(reader.role);
      }
    }
  }
}

TEST(Rewriting, TurnedRowsAreTheProductsWithTheMatrix) {
  constexpr std::int64_t kRows = 64;
  constexpr std::int64_t kCols = 48;
  Random random(5);
  std::vector<float> values;
  for (std::int64_t i = 0; i < kRows * kCols; ++i)
    values.push_back(static_cast<float>(random.normal()));
  const auto rows = constant_rows(values, kRows, kCols);
  const Rotation r = random_rotation(kRows, 6);
  EXPECT_EQ(r.block, 64);
  std::vector<float> turned = values;
  rotate_columns(r, 0, {turned.data(), kRows, kCols});
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 0; j < kCols; ++j) {
      double sum = 0;
      double magnitude = 0;
      for (std::int64_t k = 0; k < kRows; ++k) {
        const int odd = std::popcount(static_cast<unsigned>(i & k)) % 2;
        const double term = (odd != 0 ? -1 : 1) * r.signs[static_cast<std::size_t>(k)] / 8 *
                            static_cast<double>(values[static_cast<std::size_t>(k * kCols + j)]);
        sum += term;
        magnitude += std::fabs(term);
      }
      // Six sums of 64 = 2^6 values; the factors are exact.
      ASSERT_NEAR(turned[static_cast<std::size_t>(i * kCols + j)], sum, 6 * 0x1p-24 * magnitude);
    }
  }
}

TEST(Rewriting, RowsAreTheSameHoweverTheyAreRead) {
  for (const SampleModel& sample : sample_models()) {
    const Model turned = rewritten(sample.model, every_rotation(sample.model));
    for (const Weight& weight : turned.weights) {
      std::vector<float> all(static_cast<std::size_t>(weight.use.rows * weight.use.cols));
      weight.rows->read(0, weight.use.rows, all.data());
      std::vector<float> some(all.size());
      for (std::int64_t begin = 0; begin < weight.use.rows; begin += 11) {
        weight.rows->read(begin, std::min(std::int64_t{11}, weight.use.rows - begin),
                          some.data() + begin * weight.use.cols);
      }
      EXPECT_EQ(all, some) << sample.name << ", " << weight.use.hf;
    }
  }
}

}  // namespace
}  // namespace zp
