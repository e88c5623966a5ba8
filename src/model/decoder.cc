#include "model/decoder.h"

#include <algorithm>
#include <cmath>

namespace zp {
namespace {

// Layers that are all alike are said once, so that equal models are equal data.
void set_rows(Decoder& d, std::vector<Layer> rows) {
  const bool alike = std::ranges::adjacent_find(rows, std::not_equal_to()) == rows.end();
  if (alike && !rows.empty()) {
    d.every = rows.front();
    rows.clear();
  }
  d.rows = std::move(rows);
}

template <class F>
std::optional<std::int64_t> period_of(const Decoder& d, const F& ends) {
  std::int64_t period = 1;
  while (period <= d.layers && !ends(d.layer(period - 1))) ++period;
  for (std::int64_t i = 0; i < d.layers; ++i) {
    if (ends(d.layer(i)) != ends_period(i, period)) return std::nullopt;
  }
  return period;
}

}  // namespace

std::optional<std::int64_t> Decoder::window() const {
  const auto with = std::ranges::find_if(rows, [](const Layer& l) { return l.window.has_value(); });
  return with == rows.end() ? every.window : with->window;
}

std::int64_t Decoder::attention_layers() const {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < layers; ++i) count += layer(i).attends() ? 1 : 0;
  return count;
}

double Decoder::score_scale(std::int64_t index) const {
  if (attention_scale != 0) return attention_scale;
  const double natural = 1 / std::sqrt(static_cast<double>(head_dim_of(index)));
  if (rope.sharpening == 0 || rope.factor <= 1) return natural;
  const double sharper = 0.1 * rope.sharpening * std::log(rope.factor) + 1;
  return natural * sharper * sharper;
}

// A convolution's first.
std::int64_t Decoder::state_floats(std::int64_t index) const {
  switch (layer(index).mixer) {
    case Mixer::attention:
    case Mixer::none:
      break;
    case Mixer::short_convolution:
      return (convolution - 1) * hidden;
    case Mixer::gated_delta:
      return (convolution - 1) * delta.columns() + delta.value_columns() * delta.key_dim;
    case Mixer::state_space:
    case Mixer::attention_and_space:
      return (convolution - 1) * space.convolved() + space.columns() * space.state;
  }
  return 0;
}

bool Decoder::has(RopeKind kind) const {
  if (rows.empty()) return every.rope == kind;
  return std::ranges::any_of(rows, [&](const Layer& l) { return l.rope == kind; });
}

std::optional<std::int64_t> window_period(const Decoder& decoder) {
  return period_of(decoder, [](const Layer& layer) { return !layer.window; });
}

std::optional<std::int64_t> attention_period(const Decoder& decoder) {
  return period_of(decoder, [](const Layer& layer) { return layer.attends(); });
}

std::int64_t most_of_layers(const Decoder& decoder,
                            const std::function<std::int64_t(std::int64_t layer)>& of) {
  std::int64_t most = of(0);
  for (std::int64_t i = 1; i < std::ssize(decoder.rows); ++i) most = std::max(most, of(i));
  return most;
}

std::int64_t widest_input(const Decoder& decoder) {
  return most_of_layers(decoder, [&](std::int64_t i) {
    return std::max(
        {decoder.hidden, decoder.query_columns(i), decoder.attended_columns(i), decoder.ffn_of(i)});
  });
}

void set_layers(Decoder& decoder,
                const std::function<void(std::int64_t index, Layer& layer)>& set) {
  std::vector<Layer> rows;
  for (std::int64_t i = 0; i < decoder.layers; ++i) {
    rows.push_back(decoder.layer(i));
    set(i, rows.back());
  }
  set_rows(decoder, std::move(rows));
}

void set_experts(Decoder& decoder, const std::function<bool(std::int64_t layer)>& has) {
  set_layers(decoder, [&](std::int64_t i, Layer& layer) { layer.experts = has(i); });
}

void set_windows(Decoder& decoder, std::optional<std::int64_t> window,
                 const std::function<bool(std::int64_t layer)>& has) {
  set_layers(decoder, [&](std::int64_t index, Layer& layer) {
    layer.window = has(index) ? window : std::nullopt;
  });
}

}  // namespace zp
