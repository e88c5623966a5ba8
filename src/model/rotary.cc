#include "model/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernel/elementary.h"

namespace zp {
namespace {

// theta^(2 i / dims): positions of one turn, over 2 pi.
double stretch(const Rope& rope, std::int64_t i) {
  const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(rope.dims);
  return portable_exp(exponent * portable_log(rope.theta));
}

// The pair that turns `turns` times within the original context. Source: the YaRN paper, section
// 3.2, as transformers' find_correction_dim spells it.
double pair_of_turns(const Rope& rope, double turns) {
  const double original = static_cast<double>(rope.original_context);
  return static_cast<double>(rope.dims) * portable_log(original / (turns * 2 * std::numbers::pi)) /
         (2 * portable_log(rope.theta));
}

// Pairs that turn often keep their frequency, those that turn seldom are divided by the factor, and
// a ramp lies between.
double yarn_divisor(const Rope& rope, std::int64_t i) {
  const double first = pair_of_turns(rope, rope.beta_fast);
  const double last = pair_of_turns(rope, rope.beta_slow);
  const double low = std::max(rope.truncate ? std::floor(first) : first, 0.0);
  const double high =
      std::min(rope.truncate ? std::ceil(last) : last, static_cast<double>(rope.dims - 1));
  const double width = high == low ? 0.001 : high - low;
  const double ramp = std::clamp((static_cast<double>(i) - low) / width, 0.0, 1.0);
  return 1 / (ramp / rope.factor + (1 - ramp));
}

bool is_long(const Rope& rope, std::int64_t length) {
  return rope.scaling == RopeScaling::longrope && length > rope.original_context;
}

double divisor(const Rope& rope, std::int64_t i, std::int64_t length) {
  const auto at = static_cast<std::size_t>(i);
  switch (rope.scaling) {
    case RopeScaling::none:
      return 1;
    case RopeScaling::linear:
      return rope.factor;
    case RopeScaling::llama3:
      return static_cast<double>(llama3_divisor(rope, i));
    case RopeScaling::longrope:
      return static_cast<double>(is_long(rope, length) ? rope.long_factor[at]
                                                       : rope.short_factor[at]);
    case RopeScaling::yarn:
      return yarn_divisor(rope, i);
    case RopeScaling::stated:
      return static_cast<double>(rope.divisors[at]);
  }
  return 1;
}

}  // namespace

float llama3_divisor(const Rope& rope, std::int64_t i) {
  const double wavelength = 2 * std::numbers::pi * stretch(rope, i);
  const double original = static_cast<double>(rope.original_context);
  if (wavelength < original / rope.high_freq_factor) return 1;
  if (wavelength > original / rope.low_freq_factor) return static_cast<float>(rope.factor);
  const double smooth = (original / wavelength - rope.low_freq_factor) /
                        (rope.high_freq_factor - rope.low_freq_factor);
  return static_cast<float>(1 / ((1 - smooth) / rope.factor + smooth));
}

RotaryFactors rotary_factors(const Rope& rope, std::int64_t length) {
  RotaryFactors factors;
  for (std::int64_t i = 0; i < rope.dims / 2; ++i) {
    const bool turns = i < rope.dims / 2 - rope.still;
    const double frequency = turns ? 1 / (stretch(rope, i) * divisor(rope, i, length)) : 0;
    factors.frequencies.push_back(static_cast<float>(frequency));
  }
  const bool another = rope.long_attention_factor != 0 && is_long(rope, length);
  factors.attention_factor = another ? rope.long_attention_factor : rope.attention_factor;
  return factors;
}

}  // namespace zp
