#include "engine/compute.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
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
    const std::size_t i = index(w.use.place);
    entries_.resize(std::max(entries_.size(), i + 1));
    Entry& entry = entries_[i];
    if (w.use.part == Part::bias) {
      entry.bias = read_all(*w.rows);
    } else if (is_matrix(w.use.place.role)) {
      entry.matrix = w.rows;
    } else {
      entry.norm = read_all(*w.rows);
      if (model.decoder.norm_plus_one) {
        for (float& x : entry.norm) x += 1.0f;
      }
    }
  }
}

std::size_t PlacedWeights::index(Place place) {
  constexpr auto kRoleCount = static_cast<std::size_t>(Role::head) + 1;
  return static_cast<std::size_t>(place.layer + 1) * kRoleCount +
         static_cast<std::size_t>(place.role);
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

Activations Compute::embed() {
  const RowReader& rows = *weights_.at({-1, Role::embedding}).matrix;
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
      const auto turns = static_cast<double>((run.first + i) / decoder_.query_length);
      zp::scale(x.view().row(run.begin + i),
                static_cast<float>(1 + beta * portable_log(1 + turns)));
    }
  }
  return x;
}

// Each `width` columns of a row are normed by themselves.
void Compute::norm_into(Matrix x, const PlacedWeights::Entry& weights, std::int64_t width,
                        View2D<float> out) {
  const auto epsilon = static_cast<float>(decoder_.norm_epsilon);
  each_row(x.rows, [&](std::int64_t r) {
    for (std::int64_t c = 0; c < x.cols; c += width) {
      const Floats in = x.columns(c, width).row(r);
      const std::span<float> to = out.columns(c, width).row(r);
      if (decoder_.norm == Norm::rms) {
        rms_norm(in, weights.norm, epsilon, to);
      } else {
        layer_norm(in, weights.norm, weights.bias, epsilon, to);
      }
    }
  });
}

Activations Compute::norm(const Activations& x, Place place) {
  Activations out = pool_.take(x.rows(), x.cols());
  norm_into(x.view(), weights_.at(place), x.cols(), out.view());
  return out;
}

Activations Compute::norm_heads(Activations x, Place place) {
  norm_into(x.view(), weights_.at(place), decoder_.head_dim, x.view());
  return x;
}

Activations Compute::linear(const Activations& x, Place place) {
  const PlacedWeights::Entry& weights = weights_.at(place);
  const RowReader& w = *weights.matrix;
  const std::int64_t tile = rows_of_tile(w, x.rows(), team_.threads());
  const std::int64_t tile_products = tile * w.cols() * x.rows();
  const std::int64_t tiles_per_part = std::max(kPartProducts / tile_products, std::int64_t{1});
  const std::int64_t step = tile * tiles_per_part;
  Activations out = pool_.take(x.rows(), w.rows());
  team_.run(ceil_div(w.rows(), step), [&](std::int64_t part) {
    thread_local std::vector<float> decoded;
    const std::int64_t end = std::min(w.rows(), (part + 1) * step);
    for (std::int64_t n = part * step; n < end; n += tile) {
      const std::int64_t count = std::min(tile, end - n);
      const View2D<float> to = out.view().columns(n, count);
      if (x.rows() == 1) {
        w.products(n, x.view().row(0), to.row(0));
      } else {
        decoded.resize(std::max(decoded.size(), static_cast<std::size_t>(tile * w.cols())));
        w.read(n, count, decoded.data());
        matmul(x.view(), {decoded.data(), count, w.cols()}, to);
      }
      if (weights.bias.empty()) continue;
      const Floats bias =
          Floats(weights.bias)
              .subspan(static_cast<std::size_t>(n), static_cast<std::size_t>(count));
      for (std::int64_t r = 0; r < to.rows; ++r) zp::add(to.row(r), bias);
    }
  });
  return out;
}

Activations Compute::slice(const Activations& x, std::int64_t begin, std::int64_t width) {
  Activations out = pool_.take(x.rows(), width);
  const Matrix part = x.view().columns(begin, width);
  each_row(x.rows(),
           [&](std::int64_t r) { std::ranges::copy(part.row(r), out.view().row(r).begin()); });
  return out;
}

Activations Compute::rotate(Activations x, RopeKind kind) {
  const Rope& rope = decoder_.rope_of(kind);
  const Batch::Turns& turns = batch_.turns(kind);
  const std::int64_t pairs = rope.dims / 2;
  each_row(x.rows(), [&](std::int64_t r) {
    const auto begin = static_cast<std::size_t>(r * pairs);
    const Floats cos = Floats(turns.cos).subspan(begin, static_cast<std::size_t>(pairs));
    const Floats sin = Floats(turns.sin).subspan(begin, static_cast<std::size_t>(pairs));
    for (std::int64_t c = 0; c < x.cols(); c += decoder_.head_dim) {
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
                            std::int64_t layer) {
  const std::int64_t dim = decoder_.head_dim;
  for (const TokenRun& run : batch_.runs) {
    for (std::int64_t head = 0; head < decoder_.kv_heads; ++head) {
      for (std::int64_t i = 0; i < run.count; ++i) {
        const std::int64_t row = run.begin + i;
        run.cache->set(layer, head, run.first + i, k.view().columns(head * dim, dim).row(row),
                       v.view().columns(head * dim, dim).row(row));
      }
    }
  }
  const double natural = 1 / std::sqrt(static_cast<double>(dim));
  const AttentionShape shape{
      .heads = decoder_.heads,
      .kv_heads = decoder_.kv_heads,
      .head_dim = dim,
      .scale =
          static_cast<float>(decoder_.attention_scale != 0 ? decoder_.attention_scale : natural),
      .soft_cap = static_cast<float>(decoder_.attention_soft_cap),
      .window = decoder_.layer(layer).window};
  Activations out = pool_.take(q.rows(), q.cols());
  zp::attend(q.view(), batch_.runs, shape, layer, team_, out.view());
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
    }
  });
  return x;
}

Activations Compute::multiply(Activations x, const Activations& y) {
  each_row(x.rows(), [&](std::int64_t r) { zp::multiply(x.view().row(r), y.view().row(r)); });
  return x;
}

Activations Compute::add(Activations x, const Activations& y) {
  each_row(x.rows(), [&](std::int64_t r) { zp::add(x.view().row(r), y.view().row(r)); });
  return x;
}

Activations Compute::soft_cap(Activations x, double cap) {
  each_row(x.rows(),
           [&](std::int64_t r) { zp::soft_cap(x.view().row(r), static_cast<float>(cap)); });
  return x;
}

}  // namespace zp
