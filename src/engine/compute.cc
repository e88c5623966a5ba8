#include "engine/compute.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "engine/convolution.h"
#include "engine/expert_rows.h"
#include "engine/route.h"
#include "kernel/elementary.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

// Weights are decoded tile by tile. With few rows of activations a tile stays in the first cache;
// with more it comes from the second; with many each passes by so many weights that it is they
// that must come from a cache.
constexpr std::int64_t kFewRows = 4;
constexpr std::int64_t kSmallTile = 1 << 13;
constexpr std::int64_t kManyRows = 64;
constexpr std::int64_t kLargeTile = 1 << 16;
// Enough work for one part to be worth a thread: about 20 microseconds.
constexpr std::int64_t kPartProducts = 1 << 18;
constexpr std::int64_t kPartFloats = 1 << 14;

std::vector<float> read_all(const RowReader& rows) {
  std::vector<float> values(
      static_cast<std::size_t>(checked_mul(rows.rows(), rows.cols(), "weights")));
  rows.read(0, rows.rows(), values.data());
  return values;
}

/// Rows of w that are decoded at once, to be multiplied with `count` rows of activations.
std::int64_t rows_of_tile(const RowReader& w, std::int64_t count, int threads) {
  if (count >= kManyRows) return rows_of_share(w.rows(), threads);
  const std::int64_t floats = count <= kFewRows ? kSmallTile : kLargeTile;
  return std::clamp(floats / w.cols(), std::int64_t{1}, w.rows());
}

void rotate_interleaved(std::span<float> head, Floats cos, Floats sin) {
  thread_local std::vector<float> halves;
  const std::size_t pairs = cos.size();
  halves.resize(2 * pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    halves[i] = head[2 * i];
    halves[i + pairs] = head[2 * i + 1];
  }
  rotate(halves, cos, sin);
  for (std::size_t i = 0; i < pairs; ++i) {
    head[2 * i] = halves[i];
    head[2 * i + 1] = halves[i + pairs];
  }
}

}  // namespace

PlacedWeights::PlacedWeights(const Model& model) {
  for (const Weight& w : model.weights) {
    Entry& entry = entries_[w.use.place];
    if (w.use.part == Part::bias) {
      entry.bias = read_all(*w.rows);
    } else if (is_matrix(w.use.place.role)) {
      entry.matrix = w.rows;
    } else if (w.use.is_convolution()) {
      entry.taps = read_all(*transposed_rows(*w.rows));
    } else {
      entry.row = read_all(*w.rows);
      if (model.decoder.norm_plus_one && is_norm(w.use.place.role)) {
        for (float& x : entry.row) x += 1.0f;
      }
    }
  }
}

AttentionShape attention_shape(const Decoder& decoder, const PlacedWeights& weights, Place place) {
  const PlacedWeights::Entry* sinks = weights.find(place);
  return {.heads = decoder.heads,
          .kv_heads = decoder.kv_heads_of(place.layer),
          .head_dim = decoder.head_dim_of(place.layer),
          .value_dim = decoder.value_dim_of(place.layer),
          .scale = static_cast<float>(decoder.score_scale(place.layer)),
          .soft_cap = static_cast<float>(decoder.attention_soft_cap),
          .window = decoder.layer(place.layer).window,
          .sinks = sinks == nullptr ? Floats() : Floats(sinks->row)};
}

GatedDelta gated_delta(const Decoder& decoder, const PlacedWeights& weights, Place place) {
  return {decoder.delta, weights.at(place).row,
          weights.at({place.layer, Role::delta_decay_bias}).bias};
}

SelectiveScan selective_scan(const Decoder& decoder, const PlacedWeights& weights, Place place) {
  return {decoder.space, weights.at(place).row,
          weights.at({place.layer, Role::space_step_bias}).bias,
          weights.at({place.layer, Role::space_skip}).row};
}

Compute::Compute(const Model& model, const PlacedWeights& weights, const Team& team,
                 BufferPool& pool, const Batch& batch)
    : decoder_(model.decoder), weights_(weights), team_(team), pool_(pool), batch_(batch) {}

// f(r) for every row, shared over threads where there is enough to do.
template <class F>
void Compute::each_row(std::int64_t rows, const F& f) {
  const std::int64_t step =
      std::max(kPartFloats / std::max(decoder_.hidden, std::int64_t{1}), std::int64_t{1});
  team_.run(ceil_div(rows, step), [&](std::int64_t part) {
    for (std::int64_t r = part * step; r < std::min(rows, (part + 1) * step); ++r) f(r);
  });
}

Activations Compute::copy(const Activations& x) { return pool_.copy_of(x.view()); }

Activations Compute::embed(Place place) {
  const RowReader& rows = *weights_.at(place).matrix;
  Activations out = pool_.take(static_cast<std::int64_t>(batch_.ids.size()), rows.cols());
  each_row(out.rows(), [&](std::int64_t r) {
    rows.read(batch_.ids[static_cast<std::size_t>(r)], 1, out.view().row(r).data());
  });
  return out;
}

Activations Compute::add_positions(Activations x) {
  const RowReader& rows = *weights_.at({-1, Role::position}).matrix;
  std::vector<float> position(static_cast<std::size_t>(rows.cols()));
  for (const TokenRun& run : batch_.runs) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      rows.read(run.first + i, 1, position.data());
      zp::add(x.view().row(run.begin + i), position);
    }
  }
  return x;
}

Activations Compute::scale(Activations x, double factor) {
  each_row(x.rows(),
           [&](std::int64_t r) { zp::scale(x.view().row(r), static_cast<float>(factor)); });
  return x;
}

Activations Compute::temper(Activations x) {
  const double beta = decoder_.query_beta;
  for (const TokenRun& run : batch_.runs) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      const std::int64_t whole = (run.first + i) / decoder_.query_length;
      const auto turns = static_cast<double>(whole);
      zp::scale(x.view().row(run.begin + i),
                static_cast<float>(1 + beta * portable_log(1 + turns)));
    }
  }
  return x;
}

// Each `width` columns of a row are normed by themselves.
void Compute::norm_into(Matrix x, const PlacedWeights::Entry& weights, double stated,
                        std::int64_t width, View2D<float> out) {
  const auto epsilon = static_cast<float>(stated);
  each_row(x.rows, [&](std::int64_t r) {
    for (std::int64_t c = 0; c < x.cols; c += width) {
      const Floats in = x.columns(c, width).row(r);
      const std::span<float> to = out.columns(c, width).row(r);
      if (decoder_.norm == Norm::rms) {
        const std::size_t begin = static_cast<std::size_t>(c) % weights.row.size();
        rms_norm(in, Floats(weights.row).subspan(begin, in.size()), epsilon, to);
      } else {
        layer_norm(in, weights.row, weights.bias, epsilon, to);
      }
    }
  });
}

void Compute::norm_into(Matrix x, Place place, std::int64_t width, View2D<float> out) {
  norm_into(x, weights_.at(place), norm_epsilon(decoder_, place.role), width, out);
}

Activations Compute::norm(const Activations& x, Place place) {
  Activations out = pool_.take(x.rows(), x.cols());
  norm_into(x.view(), place, x.cols() / norm_parts(decoder_, place.role), out.view());
  return out;
}

Activations Compute::norm_heads(Activations x, Place place) {
  norm_into(x.view(), place, std::ssize(weights_.at(place).row), x.view());
  return x;
}

Activations Compute::norm_values(Activations x, std::int64_t layer) {
  const std::int64_t width = decoder_.head_dim_of(layer);
  PlacedWeights::Entry ones;
  ones.row.assign(static_cast<std::size_t>(width), 1.0f);
  norm_into(x.view(), ones, decoder_.norm_epsilon, width, x.view());
  return x;
}

// Rows of weights are shared over threads, tile by tile.
void Compute::multiply_into(Matrix x, std::span<const Product> products, View2D<float> out) {
  struct Share {
    const Product* product;
    std::int64_t tile;
    std::int64_t begin;
    std::int64_t end;
  };
  std::vector<Share> shares;
  for (const Product& product : products) {
    const RowReader& w = *product.weights->matrix;
    const std::int64_t tile = rows_of_tile(w, product.count, team_.threads());
    const std::int64_t tile_products = tile * w.cols() * product.count;
    const std::int64_t step = tile * std::max(kPartProducts / tile_products, std::int64_t{1});
    for (std::int64_t n = 0; n < w.rows(); n += step)
      shares.push_back({&product, tile, n, std::min(w.rows(), n + step)});
  }
  team_.run(std::ssize(shares), [&](std::int64_t index) {
    thread_local std::vector<float> decoded;
    const Share& share = shares[static_cast<std::size_t>(index)];
    const Product& product = *share.product;
    const RowReader& w = *product.weights->matrix;
    const Matrix from = x.rows_from(product.begin, product.count);
    const View2D<float> rows = out.rows_from(product.begin, product.count);
    for (std::int64_t n = share.begin; n < share.end; n += share.tile) {
      const std::int64_t count = std::min(share.tile, share.end - n);
      const View2D<float> to = rows.columns(n, count);
      if (from.rows == 1) {
        w.products(n, from.row(0), to.row(0));
      } else {
        decoded.resize(std::max(decoded.size(), static_cast<std::size_t>(share.tile * w.cols())));
        w.read(n, count, decoded.data());
        matmul(from, {decoded.data(), count, w.cols()}, to);
      }
      if (product.weights->bias.empty()) continue;
      const Floats bias =
          Floats(product.weights->bias)
              .subspan(static_cast<std::size_t>(n), static_cast<std::size_t>(count));
      for (std::int64_t r = 0; r < to.rows; ++r) zp::add(to.row(r), bias);
    }
  });
  for (const Product& product : products) {
    if (product.weights->adapter == nullptr) continue;
    add_low_rank(*product.weights->adapter, x.rows_from(product.begin, product.count),
                 out.rows_from(product.begin, product.count), team_);
  }
}

Activations Compute::linear(const Activations& x, Place place) {
  const Product all{&weights_.at(place), 0, x.rows()};
  Activations out = pool_.take(x.rows(), all.weights->matrix->rows());
  multiply_into(x.view(), {&all, 1}, out.view());
  return out;
}

Activations Compute::route(Activations scores, Place place) {
  const PlacedWeights::Entry* correction = weights_.find(place);
  for (std::int64_t r = 0; r < scores.rows(); ++r) {
    zp::route(scores.view().row(r), correction == nullptr ? Floats() : Floats(correction->bias),
              decoder_.experts);
  }
  return scores;
}

Activations Compute::dispatch(const Activations& x, const Activations& routes) {
  const ExpertRows rows(routes.view());
  Activations out = pool_.take(std::ssize(rows.token), x.cols());
  each_row(out.rows(), [&](std::int64_t r) {
    std::ranges::copy(x.view().row(rows.token[static_cast<std::size_t>(r)]),
                      out.view().row(r).begin());
  });
  return out;
}

Activations Compute::expert_linear(const Activations& x, const Activations& routes, Place place) {
  const ExpertRows rows(routes.view());
  std::vector<Product> products;
  for (place.expert = 0; place.expert < routes.cols(); ++place.expert) {
    const std::int64_t count = rows.count(place.expert);
    if (count > 0) products.push_back({&weights_.at(place), rows.begin_of(place.expert), count});
  }
  place.expert = 0;
  Activations out = pool_.take(x.rows(), weights_.at(place).matrix->rows());
  multiply_into(x.view(), products, out.view());
  return out;
}

Activations Compute::combine(Activations x, const Activations& routes, Place place) {
  const ExpertRows rows(routes.view());
  const PlacedWeights::Entry* scales = weights_.find(place);
  Activations out = pool_.take(routes.rows(), x.cols());
  for (std::int64_t t = 0; t < out.rows(); ++t) std::ranges::fill(out.view().row(t), 0.0f);
  for (std::int64_t expert = 0; expert < routes.cols(); ++expert) {
    for (std::int64_t r = rows.begin_of(expert); r < rows.begin_of(expert + 1); ++r) {
      const std::int64_t token = rows.token[static_cast<std::size_t>(r)];
      const auto of = static_cast<std::size_t>(expert);
      const float weight = routes.view().row(token)[of];
      zp::scale(x.view().row(r), scales == nullptr ? weight : weight * scales->row[of]);
      zp::add(out.view().row(token), x.view().row(r));
    }
  }
  return out;
}

Activations Compute::slice(const Activations& x, std::int64_t begin, std::int64_t width) {
  Activations out = pool_.take(x.rows(), width);
  const Matrix part = x.view().columns(begin, width);
  each_row(x.rows(),
           [&](std::int64_t r) { std::ranges::copy(part.row(r), out.view().row(r).begin()); });
  return out;
}

Activations Compute::part(const Activations& x, std::span<const std::int64_t> parts) {
  const std::int64_t group = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
  Activations out = pool_.take(x.rows(), x.cols());
  each_row(x.rows(), [&](std::int64_t r) {
    auto to = out.view().row(r).begin();
    std::int64_t begin = 0;
    for (const std::int64_t width : parts) {
      for (std::int64_t c = begin; c < x.cols(); c += group)
        to = std::ranges::copy(x.view().columns(c, width).row(r), to).out;
      begin += width;
    }
  });
  return out;
}

Activations Compute::share(const Activations& x, const Activations& y, std::int64_t head) {
  const std::int64_t heads = x.cols() / head;
  Activations out = pool_.take(x.rows(), x.cols() + heads * y.cols());
  each_row(x.rows(), [&](std::int64_t r) {
    auto to = out.view().row(r).begin();
    for (std::int64_t h = 0; h < heads; ++h) {
      to = std::ranges::copy(x.view().columns(h * head, head).row(r), to).out;
      to = std::ranges::copy(y.view().row(r), to).out;
    }
  });
  return out;
}

Activations Compute::rotate(Activations x, std::int64_t layer) {
  const RopeKind kind = decoder_.layer(layer).rope;
  const Rope& rope = decoder_.rope_of(kind);
  const Batch::Turns& turns = batch_.turns(kind);
  const std::int64_t pairs = rope.dims / 2;
  const std::int64_t dim = decoder_.head_dim_of(layer);
  const std::int64_t first = rope.trailing ? dim - rope.dims : 0;
  each_row(x.rows(), [&](std::int64_t r) {
    const auto begin = static_cast<std::size_t>(r * pairs);
    const Floats cos = Floats(turns.cos).subspan(begin, static_cast<std::size_t>(pairs));
    const Floats sin = Floats(turns.sin).subspan(begin, static_cast<std::size_t>(pairs));
    for (std::int64_t c = first; c < x.cols(); c += dim) {
      const std::span<float> head = x.view().columns(c, 2 * pairs).row(r);
      if (rope.interleaved) {
        rotate_interleaved(head, cos, sin);
      } else {
        zp::rotate(head, cos, sin);
      }
    }
  });
  return x;
}

Activations Compute::attend(const Activations& q, const Activations& k, const Activations& v,
                            Place place) {
  const std::int64_t dim = decoder_.head_dim_of(place.layer);
  const std::int64_t value_dim = decoder_.value_dim_of(place.layer);
  const std::int64_t kv_heads = decoder_.kv_heads_of(place.layer);
  for (const TokenRun& run : batch_.runs) {
    for (std::int64_t head = 0; head < kv_heads; ++head) {
      for (std::int64_t i = 0; i < run.count; ++i) {
        const std::int64_t row = run.begin + i;
        run.cache->set(place.layer, head, run.first + i, k.view().columns(head * dim, dim).row(row),
                       v.view().columns(head * value_dim, value_dim).row(row));
      }
    }
  }
  Activations out = pool_.take(q.rows(), decoder_.attended_columns(place.layer));
  zp::attend(q.view(), batch_.runs, attention_shape(decoder_, weights_, place), place.layer, team_,
             out.view());
  return out;
}

Activations Compute::convolve(const Activations& x, Place place) {
  const PlacedWeights::Entry& weights = weights_.at(place);
  const Convolution convolution{{weights.taps.data(), decoder_.convolution, x.cols()},
                                weights.bias};
  std::vector<const TokenRun*> run_of;
  for (const TokenRun& run : batch_.runs)
    run_of.insert(run_of.end(), static_cast<std::size_t>(run.count), &run);
  Activations out = pool_.take(x.rows(), x.cols());
  each_row(x.rows(), [&](std::int64_t r) {
    const TokenRun& run = *run_of[static_cast<std::size_t>(r)];
    convolution.compute(x.view(), run, run.cache->state(place.layer), r, out.view().row(r));
  });
  for (const TokenRun& run : batch_.runs)
    convolution.keep(x.view(), run, run.cache->state(place.layer));
  return out;
}

Activations Compute::delta(const Activations& qkv, const Activations& beta,
                           const Activations& decay, Place place) {
  const GatedDelta delta = gated_delta(decoder_, weights_, place);
  const DeltaHeads& heads = delta.heads;
  const std::int64_t of_head = heads.value_dim * heads.key_dim;
  Activations out = pool_.take(qkv.rows(), heads.value_columns());
  team_.run(std::ssize(batch_.runs) * heads.values, [&](std::int64_t index) {
    const TokenRun& run = batch_.runs[static_cast<std::size_t>(index / heads.values)];
    const std::int64_t head = index % heads.values;
    // Behind the convolution's.
    const std::span<float> states =
        run.cache->state(place.layer).last(static_cast<std::size_t>(heads.values * of_head));
    delta.compute(
        qkv.view(), beta.view(), decay.view(), run, head,
        states.subspan(static_cast<std::size_t>(head * of_head), static_cast<std::size_t>(of_head)),
        out.view());
  });
  return out;
}

Activations Compute::scan(const Activations& x, const Activations& steps, Place place) {
  const StateSpace& space = decoder_.space;
  const SelectiveScan scan = selective_scan(decoder_, weights_, place);
  const std::int64_t of_head = space.head_dim * space.state;
  Activations out = pool_.take(x.rows(), space.columns());
  team_.run(std::ssize(batch_.runs) * space.heads, [&](std::int64_t index) {
    const TokenRun& run = batch_.runs[static_cast<std::size_t>(index / space.heads)];
    const std::int64_t head = index % space.heads;
    // Behind the convolution's.
    const std::span<float> states =
        run.cache->state(place.layer).last(static_cast<std::size_t>(space.heads * of_head));
    scan.compute(
        x.view(), steps.view(), run, head,
        states.subspan(static_cast<std::size_t>(head * of_head), static_cast<std::size_t>(of_head)),
        out.view());
  });
  return out;
}

Activations Compute::activate(Activations x, Activation activation) {
  each_row(x.rows(), [&](std::int64_t r) {
    const std::span<float> row = x.view().row(r);
    switch (activation) {
      case Activation::silu:
        return silu(row);
      case Activation::gelu_tanh:
        return gelu_tanh(row);
      case Activation::gelu_erf:
        return gelu_erf(row);
      case Activation::gelu_sigmoid:
        return gelu_sigmoid(row);
      case Activation::sigmoid:
        return sigmoid(row);
      case Activation::squared_relu:
        return squared_relu(row);
    }
  });
  return x;
}

Activations Compute::multiply(Activations x, const Activations& y) {
  each_row(x.rows(), [&](std::int64_t r) { zp::multiply(x.view().row(r), y.view().row(r)); });
  return x;
}

Activations Compute::scale_by(Activations x, Place place) {
  const float factor = weights_.at(place).row.front();
  each_row(x.rows(), [&](std::int64_t r) { zp::scale(x.view().row(r), factor); });
  return x;
}

Activations Compute::weigh(Activations x, const Activations& y) {
  each_row(x.rows(), [&](std::int64_t r) { zp::scale(x.view().row(r), y.view().row(r)[0]); });
  return x;
}

Activations Compute::add(Activations x, const Activations& y) {
  each_row(x.rows(), [&](std::int64_t r) { zp::add(x.view().row(r), y.view().row(r)); });
  return x;
}

Activations Compute::clamp(Activations x, double least, double most) {
  each_row(x.rows(), [&](std::int64_t r) {
    zp::clamp(x.view().row(r), static_cast<float>(least), static_cast<float>(most));
  });
  return x;
}

Activations Compute::shift(Activations x, double by) {
  each_row(x.rows(), [&](std::int64_t r) { zp::shift(x.view().row(r), static_cast<float>(by)); });
  return x;
}

Activations Compute::soft_cap(Activations x, double cap) {
  each_row(x.rows(),
           [&](std::int64_t r) { zp::soft_cap(x.view().row(r), static_cast<float>(cap)); });
  return x;
}

}  // namespace zp
