#include "engine/backward.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "engine/attention_gradient.h"
#include "engine/expert_rows.h"
#include "engine/gradients.h"
#include "engine/state_gradient.h"
#include "kernel/elementary.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

constexpr std::int64_t kRowsAtOnce = 64;  // of activations, for one thread

// Turned by the same angles back: the transpose of what turned it.
void turn_back(std::span<float> head, Floats cos, Floats sin, bool interleaved) {
  const std::size_t pairs = cos.size();
  for (std::size_t i = 0; i < pairs; ++i) {
    float& a = head[interleaved ? 2 * i : i];
    float& b = head[interleaved ? 2 * i + 1 : i + pairs];
    const float first = a * cos[i] + b * sin[i];
    b = b * cos[i] - a * sin[i];
    a = first;
  }
}

}  // namespace

Backward::Backward(const Decoder& decoder, const Network& network, const PlacedWeights& weights,
                   const Team& team, BufferPool& pool, const Batch& batch, const Values& values,
                   WeightGradients& of_weights)
    : decoder_(decoder),
      network_(network),
      weights_(weights),
      team_(team),
      pool_(pool),
      batch_(batch),
      values_(values),
      of_weights_(of_weights) {}

Backward::Values Backward::run(Values gradients, ValueId first, ValueId end) {
  gradients_ = std::move(gradients);
  for (ValueId made = end; made-- > first;) {
    const auto found = gradients_.find(made);
    if (found == gradients_.end()) continue;
    Activations gradient = std::move(found->second);
    gradients_.erase(found);
    back(network_.steps[made], made, std::move(gradient));
  }
  return std::move(gradients_);
}

void Backward::add(ValueId to, Activations gradient) {
  const auto found = gradients_.find(to);
  if (found == gradients_.end()) {
    gradients_.emplace(to, std::move(gradient));
    return;
  }
  for (std::int64_t r = 0; r < gradient.rows(); ++r)
    zp::add(found->second.view().row(r), gradient.view().row(r));
}

Activations Backward::zeros(std::int64_t rows, std::int64_t cols) {
  Activations out = pool_.take(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) std::ranges::fill(out.view().row(r), 0.0f);
  return out;
}

// f(row, r) over the gradient's rows, in place.
template <class F>
Activations Backward::changed(Activations gradient, const F& f) {
  team_.run(ceil_div(gradient.rows(), kRowsAtOnce), [&](std::int64_t part) {
    const std::int64_t end = std::min(gradient.rows(), (part + 1) * kRowsAtOnce);
    for (std::int64_t r = part * kRowsAtOnce; r < end; ++r) f(gradient.view().row(r), r);
  });
  return gradient;
}

void Backward::back(const Step& step, ValueId made, Activations g) {
  const auto& reads = step.reads;
  const auto by = [&](float factor) {
    return changed(std::move(g), [&](std::span<float> row, std::int64_t) { scale(row, factor); });
  };
  switch (step.operation) {
    case Operation::embed:
      return back_embed(step.place, g.view());
    case Operation::add_positions:
    case Operation::shift:
      return add(reads[0], std::move(g));
    case Operation::scale:
      return add(reads[0], by(static_cast<float>(step.number)));
    case Operation::scale_by:
      return add(reads[0], by(weights_.at(step.place).row.front()));
    case Operation::temper:
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   scale(row, tempered(r));
                 }));
    case Operation::norm: {
      const std::int64_t width = g.cols() / norm_parts(decoder_, step.place.role);
      return add(reads[0], through_norm(step, at(reads[0]), g.view(), width,
                                        norm_epsilon(decoder_, step.place.role),
                                        weights_.at(step.place).row));
    }
    case Operation::norm_heads: {
      const Floats weight = weights_.at(step.place).row;
      return add(reads[0], through_norm(step, at(reads[0]), g.view(), std::ssize(weight),
                                        norm_epsilon(decoder_, step.place.role), weight));
    }
    case Operation::norm_values: {
      const std::int64_t width = decoder_.head_dim_of(step.place.layer);
      const std::vector<float> ones(static_cast<std::size_t>(width), 1.0f);
      return add(reads[0],
                 through_norm(step, at(reads[0]), g.view(), width, decoder_.norm_epsilon, ones));
    }
    case Operation::linear: {
      const Product all{step.place, 0, g.rows()};
      return add(reads[0], through({&all, 1}, at(reads[0]), g.view()));
    }
    case Operation::expert_linear: {
      const ExpertRows rows(at(reads[1]));
      std::vector<Product> products;
      Place place = step.place;
      for (place.expert = 0; place.expert < at(reads[1]).cols; ++place.expert) {
        if (rows.count(place.expert) > 0)
          products.push_back({place, rows.begin_of(place.expert), rows.count(place.expert)});
      }
      return add(reads[0], through(products, at(reads[0]), g.view()));
    }
    case Operation::route:
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   route_gradient(at(reads[0]).row(r), at(made).row(r), decoder_.experts, row);
                 }));
    case Operation::dispatch: {
      const ExpertRows rows(at(reads[1]));
      Activations out = zeros(at(reads[0]).rows, g.cols());
      for (std::int64_t r = 0; r < g.rows(); ++r)
        zp::add(out.view().row(rows.token[static_cast<std::size_t>(r)]), g.view().row(r));
      return add(reads[0], std::move(out));
    }
    case Operation::combine:
      return back_combine(step, g.view());
    case Operation::slice: {
      Activations out = zeros(g.rows(), at(reads[0]).cols);
      for (std::int64_t r = 0; r < g.rows(); ++r)
        std::ranges::copy(g.view().row(r),
                          out.view().columns(step.begin, step.width).row(r).begin());
      return add(reads[0], std::move(out));
    }
    case Operation::part: {
      Activations out = pool_.take(g.rows(), g.cols());
      const std::int64_t group =
          std::accumulate(step.parts.begin(), step.parts.end(), std::int64_t{0});
      for (std::int64_t r = 0; r < g.rows(); ++r) {
        auto from = g.view().row(r).begin();
        std::int64_t begin = 0;
        for (const std::int64_t width : step.parts) {
          for (std::int64_t c = begin; c < g.cols(); c += group, from += width)
            std::copy_n(from, width, out.view().columns(c, width).row(r).begin());
          begin += width;
        }
      }
      return add(reads[0], std::move(out));
    }
    case Operation::share:
      return back_share(step, g.view());
    case Operation::rotate:
      return add(reads[0], turned_back(step, std::move(g)));
    case Operation::attend:
      return back_attend(step, g.view());
    case Operation::convolve:
      return add(reads[0], back_convolve(step, g.view()));
    case Operation::activate:
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   activation_gradient(step.activation, at(reads[0]).row(r), row);
                 }));
    case Operation::multiply: {
      add(reads[0], changed(pool_.copy_of(g.view()), [&](std::span<float> row, std::int64_t r) {
            multiply(row, at(reads[1]).row(r));
          }));
      return add(reads[1], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   multiply(row, at(reads[0]).row(r));
                 }));
    }
    case Operation::weigh: {
      Activations of_weights = pool_.take(g.rows(), 1);
      for (std::int64_t r = 0; r < g.rows(); ++r)
        of_weights.view().row(r)[0] = dot(g.view().row(r), at(reads[0]).row(r));
      add(reads[1], std::move(of_weights));
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   scale(row, at(reads[1]).row(r)[0]);
                 }));
    }
    case Operation::add:
      add(reads[1], pool_.copy_of(g.view()));
      return add(reads[0], std::move(g));
    case Operation::clamp:
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   const Floats x = at(reads[0]).row(r);
                   for (std::size_t i = 0; i < row.size(); ++i) {
                     if (!(x[i] > step.least && x[i] < step.number)) row[i] = 0;
                   }
                 }));
    case Operation::soft_cap:
      return add(reads[0], changed(std::move(g), [&](std::span<float> row, std::int64_t r) {
                   const auto cap = static_cast<float>(step.number);
                   for (std::size_t i = 0; i < row.size(); ++i) {
                     const float share = at(made).row(r)[i] / cap;
                     row[i] *= 1 - share * share;
                   }
                 }));
    case Operation::delta:
      return back_delta(step, g.view());
    case Operation::scan:
      return back_scan(step, g.view());
  }
}

float Backward::tempered(std::int64_t row) const {
  for (const TokenRun& run : batch_.runs) {
    if (row >= run.begin + run.count) continue;
    const std::int64_t whole = (run.first + row - run.begin) / decoder_.query_length;
    return static_cast<float>(1 +
                              decoder_.query_beta * portable_log(1 + static_cast<double>(whole)));
  }
  return 1;
}

// ---- linears

Activations Backward::through(std::span<const Product> products, Matrix x, Matrix gradient) {
  Activations out = zeros(x.rows, x.cols);
  for (const Product& product : products) {
    const Matrix of = gradient.rows_from(product.begin, product.count);
    const Matrix from = x.rows_from(product.begin, product.count);
    const View2D<float> to = out.view().rows_from(product.begin, product.count);
    if (of_weights_.wants(product.place)) to_matrix(product, from, of);
    through_matrix(product, of, to);
    if (const LowRank* adapter = weights_.at(product.place).adapter; adapter != nullptr)
      of_weights_.add_adapter(product.place, low_rank_gradient(*adapter, from, of, to, team_));
  }
  return out;
}

// out += gradient W, some rows of W at a time.
void Backward::through_matrix(const Product& product, Matrix gradient, View2D<float> out) {
  const RowReader& w = *weights_.at(product.place).matrix;
  const std::int64_t at_once = std::max(kWeightsAtOnce / w.cols(), std::int64_t{1});
  std::vector<float> decoded(static_cast<std::size_t>(std::min(at_once, w.rows()) * w.cols()));
  for (std::int64_t begin = 0; begin < w.rows(); begin += at_once) {
    const std::int64_t count = std::min(at_once, w.rows() - begin);
    team_.run(ceil_div(count, kRowsAtOnce), [&](std::int64_t part) {
      const std::int64_t first = part * kRowsAtOnce;
      w.read(begin + first, std::min(kRowsAtOnce, count - first),
             &decoded[static_cast<std::size_t>(first * w.cols())]);
    });
    const Matrix rows(decoded.data(), count, w.cols());
    team_.run(ceil_div(out.rows, kRowsAtOnce), [&](std::int64_t part) {
      thread_local std::vector<float> sums;
      const std::int64_t first = part * kRowsAtOnce;
      const std::int64_t some = std::min(kRowsAtOnce, out.rows - first);
      sums.resize(static_cast<std::size_t>(some * w.cols()));
      const View2D<float> to(sums.data(), some, w.cols());
      weighted_rows(gradient.columns(begin, count).rows_from(first, some), rows, to);
      for (std::int64_t r = 0; r < some; ++r) zp::add(out.row(first + r), to.row(r));
    });
  }
}

// gradient^T x, some rows at a time.
void Backward::to_matrix(const Product& product, Matrix x, Matrix gradient) {
  const std::int64_t stride = row_stride(x.rows);
  std::vector<float> columns(static_cast<std::size_t>(x.cols * stride));
  const View2D<float> turned(columns.data(), x.cols, x.rows, stride);
  transpose(x, turned);
  team_.run(ceil_div(gradient.cols, kMatmulRows), [&](std::int64_t part) {
    thread_local std::vector<float> rows;
    thread_local std::vector<float> sums;
    const std::int64_t begin = part * kMatmulRows;
    const std::int64_t count = std::min(kMatmulRows, gradient.cols - begin);
    rows.resize(static_cast<std::size_t>(count * stride));
    sums.resize(static_cast<std::size_t>(count * x.cols));
    const View2D<float> of(rows.data(), count, x.rows, stride);
    transpose(gradient.columns(begin, count), of);
    const View2D<float> to(sums.data(), count, x.cols);
    matmul(of, turned, to);
    of_weights_.add_rows(product.place, begin, to);
  });
}

void Backward::back_embed(Place place, Matrix gradient) {
  if (!of_weights_.wants(place)) return;
  for (std::int64_t r = 0; r < gradient.rows; ++r)
    of_weights_.add_rows(place, batch_.ids[static_cast<std::size_t>(r)], gradient.rows_from(r, 1));
}

// ---- rows

Activations Backward::through_norm(const Step& step, Matrix x, Matrix gradient, std::int64_t width,
                                   double epsilon, Floats weight) {
  const bool wanted = step.operation != Operation::norm_values && of_weights_.wants(step.place);
  Activations out = pool_.copy_of(gradient);
  // Rows in parts of a fixed size, each of which sums its own.
  const std::int64_t parts = ceil_div(x.rows, kRowsAtOnce);
  std::vector<std::vector<double>> sums(static_cast<std::size_t>(parts),
                                        std::vector<double>(wanted ? weight.size() : 0));
  out = changed(std::move(out), [&](std::span<float> row, std::int64_t r) {
    std::vector<double>& sum = sums[static_cast<std::size_t>(r / kRowsAtOnce)];
    for (std::size_t c = 0; c < row.size(); c += static_cast<std::size_t>(width)) {
      const std::size_t from = c % weight.size();
      const auto n = static_cast<std::size_t>(width);
      norm_gradient(decoder_.norm, x.row(r).subspan(c, n), weight.subspan(from, n), epsilon,
                    row.subspan(c, n),
                    wanted ? std::span(sum).subspan(from, n) : std::span<double>());
    }
  });
  if (!wanted) return out;
  std::vector<double> total(weight.size());
  for (const std::vector<double>& sum : sums)
    std::ranges::transform(total, sum, total.begin(), std::plus());
  of_weights_.add_norm(step.place, std::vector<float>(total.begin(), total.end()));
  return out;
}

void Backward::back_share(const Step& step, Matrix gradient) {
  const std::int64_t head = step.parts.front();
  Activations x = pool_.take(gradient.rows, at(step.reads[0]).cols);
  Activations y = zeros(gradient.rows, at(step.reads[1]).cols);
  const std::int64_t of_head = head + y.cols();
  for (std::int64_t h = 0; h < x.cols() / head; ++h) {
    for (std::int64_t r = 0; r < gradient.rows; ++r) {
      std::ranges::copy(gradient.columns(h * of_head, head).row(r),
                        x.view().columns(h * head, head).row(r).begin());
      zp::add(y.view().row(r), gradient.columns(h * of_head + head, y.cols()).row(r));
    }
  }
  add(step.reads[0], std::move(x));
  add(step.reads[1], std::move(y));
}

Activations Backward::turned_back(const Step& step, Activations gradient) {
  const RopeKind kind = decoder_.layer(step.place.layer).rope;
  const Rope& rope = decoder_.rope_of(kind);
  const Batch::Turns& turns = batch_.turns(kind);
  const auto pairs = static_cast<std::size_t>(rope.dims / 2);
  const std::int64_t dim = decoder_.head_dim_of(step.place.layer);
  const std::int64_t first = rope.trailing ? dim - rope.dims : 0;
  return changed(std::move(gradient), [&](std::span<float> row, std::int64_t r) {
    const std::size_t begin = static_cast<std::size_t>(r) * pairs;
    const Floats cos = Floats(turns.cos).subspan(begin, pairs);
    const Floats sin = Floats(turns.sin).subspan(begin, pairs);
    for (auto c = static_cast<std::size_t>(first); c < row.size();
         c += static_cast<std::size_t>(dim))
      turn_back(row.subspan(c, 2 * pairs), cos, sin, rope.interleaved);
  });
}

void Backward::back_attend(const Step& step, Matrix gradient) {
  const Matrix q = at(step.reads[0]);
  const Matrix k = at(step.reads[1]);
  const Matrix v = at(step.reads[2]);
  Activations dq = pool_.take(q.rows, q.cols);
  Activations dk = pool_.take(k.rows, k.cols);
  Activations dv = pool_.take(v.rows, v.cols);
  const AttentionGradient of{q, k, v, dq.view(), dk.view(), dv.view()};
  of.compute(gradient, batch_.runs, attention_shape(decoder_, weights_, step.place), team_);
  add(step.reads[0], std::move(dq));
  add(step.reads[1], std::move(dk));
  add(step.reads[2], std::move(dv));
}

void Backward::back_combine(const Step& step, Matrix gradient) {
  const Matrix x = at(step.reads[0]);
  const Matrix routes = at(step.reads[1]);
  const ExpertRows rows(routes);
  const PlacedWeights::Entry* scales = weights_.find(step.place);
  Activations dx = pool_.take(x.rows, x.cols);
  Activations dr = zeros(routes.rows, routes.cols);
  for (std::int64_t expert = 0; expert < routes.cols; ++expert) {
    const auto of = static_cast<std::size_t>(expert);
    const float factor = scales == nullptr ? 1.0f : scales->row[of];
    for (std::int64_t r = rows.begin_of(expert); r < rows.begin_of(expert + 1); ++r) {
      const std::int64_t token = rows.token[static_cast<std::size_t>(r)];
      std::ranges::copy(gradient.row(token), dx.view().row(r).begin());
      scale(dx.view().row(r), routes.row(token)[of] * factor);
      dr.view().row(token)[of] = factor * dot(gradient.row(token), x.row(r));
    }
  }
  add(step.reads[0], std::move(dx));
  add(step.reads[1], std::move(dr));
}

void Backward::back_delta(const Step& step, Matrix gradient) {
  const auto taken = [&](std::size_t i) {
    return pool_.take(gradient.rows, at(step.reads[i]).cols);
  };
  Activations of_qkv = taken(0);
  Activations of_beta = taken(1);
  Activations of_decay = taken(2);
  const GatedDelta delta = gated_delta(decoder_, weights_, step.place);
  const GatedDeltaGradient of{
      delta,         at(step.reads[0]), at(step.reads[1]), at(step.reads[2]),
      of_qkv.view(), of_beta.view(),    of_decay.view()};
  of.compute(gradient, batch_.runs, team_);
  add(step.reads[0], std::move(of_qkv));
  add(step.reads[1], std::move(of_beta));
  add(step.reads[2], std::move(of_decay));
}

void Backward::back_scan(const Step& step, Matrix gradient) {
  Activations of_x = pool_.take(gradient.rows, at(step.reads[0]).cols);
  Activations of_steps = pool_.take(gradient.rows, at(step.reads[1]).cols);
  const SelectiveScan scan = selective_scan(decoder_, weights_, step.place);
  const SelectiveScanGradient of{scan, at(step.reads[0]), at(step.reads[1]), of_x.view(),
                                 of_steps.view()};
  of.compute(gradient, batch_.runs, team_);
  add(step.reads[0], std::move(of_x));
  add(step.reads[1], std::move(of_steps));
}

Activations Backward::back_convolve(const Step& step, Matrix gradient) {
  const PlacedWeights::Entry& weights = weights_.at(step.place);
  const Matrix taps(weights.taps.data(), decoder_.convolution, gradient.cols);
  Activations out = zeros(gradient.rows, gradient.cols);
  for (const TokenRun& run : batch_.runs) {
    for (std::int64_t t = 0; t < run.count; ++t) {
      for (std::int64_t i = 0; i < taps.rows && t + i < run.count; ++i)
        multiply_add(out.view().row(run.begin + t), gradient.row(run.begin + t + i),
                     taps.row(taps.rows - 1 - i));
    }
  }
  return out;
}

}  // namespace zp
