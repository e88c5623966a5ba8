// For tests: the network computed in FP64, and of every row a bound on how far it is from what
// exact arithmetic on the same weights gives, as running error analysis has it (Higham, Accuracy
// and Stability of Numerical Algorithms, chapter 3): |x' - x|_2 <= bound.
//
// u = 2^-53; a sum of n products is off by at most (n + 1) u times the sum of magnitudes. What
// comes in passes through
//   linear      |W d| <= s(W) |d|, s(W) = |W^T W|_F^(1/2), which no singular value of W exceeds
//   norm        x / sqrt(mean x^2 + e) has a Jacobian of norm <= 1 / sqrt(mean x^2 + e), taken at
//               the least the root can be within the bound; times the largest weight
//   softmax     scores off by at most t change probabilities by e^(2 t) - 1 in all
//   activations have slopes of at most 1.13, squared_relu of twice its input; rotations, clamps and caps of at most 1
//   convolutions of columns multiply what each token is off by its largest weight
//   the gated delta rule: exact_delta.h
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "model/exact_delta.h"
#include "model/exact_route.h"
#include "model/exact_scan.h"
#include "model/interpreter.h"

namespace zp {

/// One row per token of one sequence.
struct ExactRows {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<double> values;
  std::vector<double> bound;  // of each row

  ExactRows() = default;
  ExactRows(std::int64_t r, std::int64_t c)
      : rows(r),
        cols(c),
        values(static_cast<std::size_t>(r * c)),
        bound(static_cast<std::size_t>(r)) {}

  std::span<double> row(std::int64_t r) { return part(r, 0, cols); }
  std::span<const double> row(std::int64_t r) const { return part(r, 0, cols); }
  std::span<double> part(std::int64_t r, std::int64_t begin, std::int64_t width) {
    return std::span(values).subspan(static_cast<std::size_t>(r * cols + begin),
                                     static_cast<std::size_t>(width));
  }
  std::span<const double> part(std::int64_t r, std::int64_t begin, std::int64_t width) const {
    return std::span(values).subspan(static_cast<std::size_t>(r * cols + begin),
                                     static_cast<std::size_t>(width));
  }
  double& off(std::int64_t r) { return bound[static_cast<std::size_t>(r)]; }
  double off(std::int64_t r) const { return bound[static_cast<std::size_t>(r)]; }
};

inline double exact_length(std::span<const double> x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

inline double exact_largest(std::span<const double> x) {
  double most = 0;
  for (const double v : x) most = std::max(most, std::fabs(v));
  return most;
}

/// Ops of interpreter.h.
class ExactOps {
 public:
  using Value = ExactRows;
  static constexpr double kUnit = 0x1p-53;
  static constexpr double kSlope = 1.13;

  /// bounded: else what bounds say counts no linear, which takes most of the time.
  ExactOps(const Model& model, std::vector<std::int32_t> ids, bool bounded = true)
      : model_(model), d_(model.decoder), ids_(std::move(ids)), bounded_(bounded) {}

  ExactRows embed(Place place) {
    const std::vector<double> table = weights(place, Part::weight);
    const std::int64_t width = model_.find(place)->use.cols;
    ExactRows out(tokens(), width);
    for (std::int64_t r = 0; r < out.rows; ++r)
      std::copy_n(table.begin() + ids_[static_cast<std::size_t>(r)] * width, width,
                  out.row(r).begin());
    return out;
  }
  ExactRows add_positions(ExactRows x) {
    const std::vector<double> table = weights({-1, Role::position}, Part::weight);
    ExactRows positions(x.rows, x.cols);
    std::copy_n(table.begin(), positions.values.size(), positions.values.begin());
    return add(std::move(x), positions);
  }
  ExactRows scale(ExactRows x, double factor) {
    for (double& v : x.values) v *= factor;
    each(x, [&](std::int64_t r) {
      x.off(r) = std::fabs(factor) * x.off(r) + kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows scale_by(ExactRows x, Place place) {
    return scale(std::move(x), weights(place, Part::weight).front());
  }
  ExactRows temper(ExactRows x) {
    each(x, [&](std::int64_t r) {
      const double factor =
          1 + d_.query_beta * std::log(1.0 + static_cast<double>(r / d_.query_length));
      for (double& v : x.row(r)) v *= factor;
      x.off(r) = factor * x.off(r) + 4 * kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows norm(const ExactRows& x, Place place) {
    return normed(x, place, x.cols / norm_parts(d_, place.role));
  }
  ExactRows norm_heads(ExactRows x, Place place) {
    return normed(x, place, std::ssize(weights(place, Part::weight)));
  }
  ExactRows norm_values(ExactRows x, std::int64_t layer) {
    const std::int64_t width = d_.head_dim_of(layer);
    const std::vector<double> ones(static_cast<std::size_t>(width), 1.0);
    return normed(x, ones, {}, width, d_.norm_epsilon);
  }

  ExactRows linear(const ExactRows& x, Place place) {
    const std::vector<double> w = weights(place, Part::weight);
    const std::vector<double> bias = weights(place, Part::bias);
    const auto n = static_cast<std::size_t>(x.cols);
    const auto [passes, magnitude] = bounded_ ? sizes(w, n) : std::pair(0.0, 0.0);
    ExactRows out(x.rows, std::ssize(w) / x.cols);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::size_t i = 0; i < out.row(r).size(); ++i) {
        out.row(r)[i] = std::inner_product(x.row(r).begin(), x.row(r).end(),
                                           w.begin() + static_cast<std::ptrdiff_t>(i * n), 0.0) +
                        (bias.empty() ? 0.0 : bias[i]);
      }
      const double rounding = static_cast<double>(n + 1) * magnitude * exact_length(x.row(r));
      out.off(r) = passes * x.off(r) + kUnit * (rounding + exact_length(out.row(r)));
    }
    return out;
  }

  ExactRows route(ExactRows scores, Place place) {
    const std::vector<double> correction = weights(place, Part::bias);
    each(scores, [&](std::int64_t r) {
      scores.off(r) = ExactRoute(scores.row(r), scores.off(r), correction, d_.experts).bound();
    });
    return scores;
  }

  ExactRows dispatch(const ExactRows& x, const ExactRows& routes) {
    const std::vector<Sent> sent = sent_by(routes);
    ExactRows out(std::ssize(sent), x.cols);
    each(out, [&](std::int64_t r) {
      const std::int64_t token = sent[static_cast<std::size_t>(r)].token;
      std::ranges::copy(x.row(token), out.row(r).begin());
      out.off(r) = x.off(token) + (std::isfinite(routes.off(token)) ? 0 : INFINITY);
    });
    return out;
  }

  ExactRows expert_linear(const ExactRows& x, const ExactRows& routes, Place place) {
    const std::vector<Sent> sent = sent_by(routes);
    ExactRows out;
    for (std::int64_t r = 0; r < x.rows; ++r) {
      place.expert = sent[static_cast<std::size_t>(r)].expert;
      ExactRows one(1, x.cols);
      std::ranges::copy(x.row(r), one.row(0).begin());
      one.off(0) = x.off(r);
      const ExactRows y = linear(one, place);
      if (r == 0) out = ExactRows(x.rows, y.cols);
      std::ranges::copy(y.row(0), out.row(r).begin());
      out.off(r) = y.off(0);
    }
    return out;
  }

  ExactRows combine(ExactRows x, const ExactRows& routes, Place place) {
    const std::vector<Sent> sent = sent_by(routes);
    const std::vector<double> scales = weights(place, Part::weight);
    ExactRows out(routes.rows, x.cols);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      const auto [token, expert] = sent[static_cast<std::size_t>(r)];
      const auto of = static_cast<std::size_t>(expert);
      const double scale = scales.empty() ? 1 : scales[of];
      const double weight = scale * routes.row(token)[of];
      for (std::size_t i = 0; i < out.row(token).size(); ++i)
        out.row(token)[i] += weight * x.row(r)[i];
      const double length = exact_length(x.row(r));
      out.off(token) +=
          std::fabs(weight) * x.off(r) +
          (length + x.off(r)) * std::fabs(scale) * routes.off(token) +
          static_cast<double>(d_.experts.chosen + 2) * kUnit * std::fabs(weight) * length;
    }
    return out;
  }

  ExactRows slice(const ExactRows& x, std::int64_t begin, std::int64_t width) {
    ExactRows out(x.rows, width);
    for (std::int64_t r = 0; r < x.rows; ++r)
      std::ranges::copy(x.part(r, begin, width), out.row(r).begin());
    out.bound = x.bound;
    return out;
  }

  ExactRows part(const ExactRows& x, std::span<const std::int64_t> parts) {
    const std::int64_t group = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
    ExactRows out(x.rows, x.cols);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      auto to = out.row(r).begin();
      std::int64_t begin = 0;
      for (const std::int64_t width : parts) {
        for (std::int64_t c = begin; c < x.cols; c += group)
          to = std::ranges::copy(x.part(r, c, width), to).out;
        begin += width;
      }
    }
    out.bound = x.bound;
    return out;
  }

  // What y is off is off in each head.
  ExactRows share(const ExactRows& x, const ExactRows& y, std::int64_t head) {
    const std::int64_t heads = x.cols / head;
    ExactRows out(x.rows, x.cols + heads * y.cols);
    each(out, [&](std::int64_t r) {
      auto to = out.row(r).begin();
      for (std::int64_t h = 0; h < heads; ++h) {
        to = std::ranges::copy(x.part(r, h * head, head), to).out;
        to = std::ranges::copy(y.row(r), to).out;
      }
      out.off(r) = std::hypot(x.off(r), std::sqrt(static_cast<double>(heads)) * y.off(r));
    });
    return out;
  }

  ExactRows rotate(ExactRows x, std::int64_t layer) {
    const Rope& rope = d_.rope_of(d_.layer(layer).rope);
    const std::int64_t pairs = rope.dims / 2;
    for (std::int64_t r = 0; r < x.rows; ++r) {
      const std::int64_t dim = d_.head_dim_of(layer);
      const std::int64_t begin = rope.trailing ? dim - rope.dims : 0;
      for (std::int64_t head = begin; head < x.cols; head += dim) {
        for (std::int64_t i = 0; i < pairs - rope.still; ++i) {
          const double angle =
              static_cast<double>(r) *
              std::pow(rope.theta, -2.0 * static_cast<double>(i) / static_cast<double>(rope.dims));
          const std::int64_t first_of = rope.interleaved ? 2 * i : i;
          const std::int64_t second_of = rope.interleaved ? 2 * i + 1 : i + pairs;
          double& a = x.values[static_cast<std::size_t>(r * x.cols + head + first_of)];
          double& b = x.values[static_cast<std::size_t>(r * x.cols + head + second_of)];
          const double first = a * std::cos(angle) - b * std::sin(angle);
          b = b * std::cos(angle) + a * std::sin(angle);
          a = first;
        }
      }
      // An angle is off by two roundings of its size, at most the position.
      x.off(r) += (4 + 2 * static_cast<double>(r)) * kUnit * exact_length(x.row(r));
    }
    return x;
  }

  ExactRows attend(const ExactRows& q, const ExactRows& k, const ExactRows& v, Place place) {
    const std::vector<double> sinks = weights(place, Part::weight);
    const std::int64_t dim = d_.value_dim_of(place.layer);
    ExactRows out(q.rows, d_.attended_columns(place.layer));
    for (std::int64_t r = 0; r < q.rows; ++r) {
      double squares = 0;
      for (std::int64_t head = 0; head < d_.heads; ++head) {
        const double off =
            attend_head(q, k, v, place.layer, sinks, r, head, out.part(r, head * dim, dim));
        squares += off * off;
      }
      out.off(r) = std::sqrt(squares);
    }
    return out;
  }

  // Of L tokens and the bias, the sum of |w|_max times what each is off, and L + 1 roundings.
  ExactRows convolve(const ExactRows& x, Place place) {
    const std::vector<double> w = weights(place, Part::weight);
    const std::vector<double> bias = weights(place, Part::bias);
    const std::int64_t seen = std::ssize(w) / x.cols;
    ExactRows out(x.rows, x.cols);
    each(out, [&](std::int64_t r) {
      if (!bias.empty()) std::ranges::copy(bias, out.row(r).begin());
      double magnitude = exact_length(bias);
      for (std::int64_t i = std::max(seen - 1 - r, std::int64_t{0}); i < seen; ++i) {
        const std::int64_t token = r - (seen - 1 - i);
        double most = 0;
        std::vector<double> products(x.row(token).begin(), x.row(token).end());
        for (std::size_t j = 0; j < products.size(); ++j) {
          const double weight = w[j * static_cast<std::size_t>(seen) + static_cast<std::size_t>(i)];
          most = std::max(most, std::fabs(weight));
          products[j] *= weight;
          out.row(r)[j] += products[j];
        }
        magnitude += exact_length(products);
        out.off(r) += most * x.off(token);
      }
      out.off(r) += static_cast<double>(seen + 1) * kUnit * magnitude;
    });
    return out;
  }

  ExactRows delta(const ExactRows& qkv, const ExactRows& beta, const ExactRows& decay,
                  Place place) {
    const DeltaHeads& heads = d_.delta;
    const std::vector<double> rate = weights(place, Part::weight);
    const std::vector<double> bias = weights({place.layer, Role::delta_decay_bias}, Part::bias);
    const double natural = 1 / std::sqrt(static_cast<double>(heads.key_dim));
    ExactRows out(qkv.rows, heads.value_columns());
    std::vector<double> squares(static_cast<std::size_t>(qkv.rows));
    for (std::int64_t head = 0; head < heads.values; ++head) {
      const auto h = static_cast<std::size_t>(head);
      const std::int64_t of_keys = head / (heads.values / heads.keys) * heads.key_dim;
      const std::int64_t of_values = head * heads.value_dim;
      ExactDelta state(static_cast<std::size_t>(heads.key_dim),
                       static_cast<std::size_t>(heads.value_dim));
      for (std::int64_t r = 0; r < qkv.rows; ++r) {
        const auto value = qkv.part(r, 2 * heads.key_columns() + of_values, heads.value_dim);
        const double off =
            state.step(exact_direction(qkv.part(r, of_keys, heads.key_dim), qkv.off(r), natural),
                       exact_direction(qkv.part(r, heads.key_columns() + of_keys, heads.key_dim),
                                       qkv.off(r), 1),
                       {{value.begin(), value.end()}, qkv.off(r)},
                       exact_kept(rate[h], decay.row(r)[h], decay.off(r), bias[h]),
                       {beta.row(r)[h], beta.off(r)}, out.part(r, of_values, heads.value_dim));
        squares[static_cast<std::size_t>(r)] += off * off;
      }
    }
    each(out,
         [&](std::int64_t r) { out.off(r) = std::sqrt(squares[static_cast<std::size_t>(r)]); });
    return out;
  }

  ExactRows scan(const ExactRows& x, const ExactRows& steps, Place place) {
    const StateSpace& space = d_.space;
    const std::vector<double> rate = weights(place, Part::weight);
    const std::vector<double> bias = weights({place.layer, Role::space_step_bias}, Part::bias);
    const std::vector<double> skip = weights({place.layer, Role::space_skip}, Part::weight);
    const std::int64_t shared = space.heads / space.groups;
    ExactRows out(x.rows, space.columns());
    std::vector<double> squares(static_cast<std::size_t>(x.rows));
    for (std::int64_t head = 0; head < space.heads; ++head) {
      const auto h = static_cast<std::size_t>(head);
      const std::int64_t of_group = head / shared * space.state;
      ExactScan state(static_cast<std::size_t>(space.state),
                      static_cast<std::size_t>(space.head_dim));
      for (std::int64_t r = 0; r < x.rows; ++r) {
        const auto part = [&](std::int64_t begin, std::int64_t width) {
          const auto values = x.part(r, begin, width);
          return ExactVector{{values.begin(), values.end()}, x.off(r)};
        };
        const ExactNumber step = exact_step(steps.row(r)[h], steps.off(r), bias[h], space);
        const double off = state.step(
            part(head * space.head_dim, space.head_dim),
            part(space.columns() + of_group, space.state),
            part(space.columns() + space.groups * space.state + of_group, space.state), step,
            exact_left(rate[h], step), skip[h], out.part(r, head * space.head_dim, space.head_dim));
        squares[static_cast<std::size_t>(r)] += off * off;
      }
    }
    each(out,
         [&](std::int64_t r) { out.off(r) = std::sqrt(squares[static_cast<std::size_t>(r)]); });
    return out;
  }

  ExactRows activate(ExactRows x, Activation activation) {
    each(x, [&](std::int64_t r) {
      // At most twice the largest there is within the bound.
      const double slope = activation == Activation::squared_relu
                               ? 2 * (exact_largest(x.row(r)) + x.off(r))
                               : kSlope;
      const double squared = activation == Activation::squared_relu ? exact_largest(x.row(r)) : 1;
      x.off(r) = slope * x.off(r) + 16 * kUnit * squared * exact_length(x.row(r));
      for (double& v : x.row(r)) v = activated(v, activation);
    });
    return x;
  }
  ExactRows multiply(ExactRows x, const ExactRows& y) {
    each(x, [&](std::int64_t r) {
      const double off = exact_largest(x.row(r)) * y.off(r) + exact_largest(y.row(r)) * x.off(r) +
                         x.off(r) * y.off(r);
      std::ranges::transform(x.row(r), y.row(r), x.row(r).begin(), std::multiplies());
      x.off(r) = off + kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows weigh(ExactRows x, const ExactRows& y) {
    each(x, [&](std::int64_t r) {
      const double factor = y.row(r)[0];
      x.off(r) =
          std::fabs(factor) * x.off(r) + exact_length(x.row(r)) * y.off(r) + x.off(r) * y.off(r);
      for (double& v : x.row(r)) v *= factor;
      x.off(r) += kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows add(ExactRows x, const ExactRows& y) {
    each(x, [&](std::int64_t r) {
      std::ranges::transform(x.row(r), y.row(r), x.row(r).begin(), std::plus());
      x.off(r) += y.off(r) + kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows clamp(ExactRows x, double least, double most) {
    for (double& v : x.values) v = std::clamp(v, least, most);
    return x;
  }
  ExactRows shift(ExactRows x, double by) {
    each(x, [&](std::int64_t r) {
      for (double& v : x.row(r)) v += by;
      x.off(r) += kUnit * exact_length(x.row(r));
    });
    return x;
  }
  ExactRows soft_cap(ExactRows x, double cap) {
    each(x, [&](std::int64_t r) {
      x.off(r) += 8 * kUnit * exact_length(x.row(r));
      for (double& v : x.row(r)) v = cap * std::tanh(v / cap);
    });
    return x;
  }

 private:
  struct Sent {
    std::int64_t token;
    std::int64_t expert;
  };
  static std::vector<Sent> sent_by(const ExactRows& routes) {
    std::vector<Sent> all;
    for (std::int64_t expert = 0; expert < routes.cols; ++expert) {
      for (std::int64_t t = 0; t < routes.rows; ++t) {
        if (routes.row(t)[static_cast<std::size_t>(expert)] != 0) all.push_back({t, expert});
      }
    }
    return all;
  }

  std::int64_t tokens() const { return std::ssize(ids_); }

  template <class F>
  static void each(const ExactRows& x, const F& f) {
    for (std::int64_t r = 0; r < x.rows; ++r) f(r);
  }

  std::vector<double> weights(Place place, Part part) const {
    for (const Weight& w : model_.weights) {
      if (w.use.place != place || w.use.part != part) continue;
      std::vector<float> values(static_cast<std::size_t>(w.use.rows * w.use.cols));
      w.rows->read(0, w.use.rows, values.data());
      return {values.begin(), values.end()};
    }
    return {};
  }

  // s(W), and |W|_F.
  static std::pair<double, double> sizes(const std::vector<double>& w, std::size_t n) {
    double fourth = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t at = 0; at < w.size(); at += n) sum += w[at + i] * w[at + j];
        fourth += sum * sum;
      }
    }
    return {std::sqrt(std::sqrt(fourth)), exact_length(w)};
  }

  ExactRows normed(const ExactRows& x, Place place, std::int64_t width) const {
    std::vector<double> weight = weights(place, Part::weight);
    if (d_.norm_plus_one && is_norm(place.role)) {
      for (double& w : weight) w += 1;
    }
    return normed(x, weight, weights(place, Part::bias), width, norm_epsilon(d_, place.role));
  }

  // Of each part of a row that is as wide as the weight.
  ExactRows normed(const ExactRows& x, const std::vector<double>& weight,
                   const std::vector<double>& bias, std::int64_t width, double epsilon) const {
    ExactRows out = x;
    const auto n = static_cast<double>(width);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      double least = INFINITY;
      for (std::int64_t begin = 0; begin < x.cols; begin += width) {
        const std::span<double> y = out.part(r, begin, width);
        const double mean =
            d_.norm == Norm::layer ? std::accumulate(y.begin(), y.end(), 0.0) / n : 0;
        for (double& v : y) v -= mean;
        const double length = exact_length(y);
        const double root = std::sqrt(length * length / n + epsilon);
        least = std::min(least, root - x.off(r) / std::sqrt(n));
        for (std::size_t j = 0; j < y.size(); ++j)
          y[j] = y[j] / root * weight[(static_cast<std::size_t>(begin) + j) % weight.size()] +
                 (bias.empty() ? 0.0 : bias[j]);
      }
      const double rounding =
          (2 * n + 8) * kUnit *
          (exact_length(x.row(r)) / least * exact_largest(weight) + exact_length(bias));
      out.off(r) = least > 0 ? x.off(r) / least * exact_largest(weight) + rounding : INFINITY;
    }
    return out;
  }

  // Of one token's head; its bound.
  double attend_head(const ExactRows& q, const ExactRows& k, const ExactRows& v, std::int64_t layer,
                     std::span<const double> sinks, std::int64_t r, std::int64_t head,
                     std::span<double> out) const {
    const std::int64_t dim = d_.head_dim_of(layer);
    const std::int64_t value_dim = d_.value_dim_of(layer);
    const std::int64_t kv_head = head / (d_.heads / d_.kv_heads_of(layer));
    const std::int64_t group = kv_head * dim;
    const std::int64_t of_values = kv_head * value_dim;
    const double scale = d_.score_scale(layer);
    const std::int64_t window = d_.layer(layer).window.value_or(r + 1);
    const std::int64_t first = std::max(std::int64_t{0}, r + 1 - window);
    const std::span<const double> query = q.part(r, head * dim, dim);
    std::vector<double> p;
    double off = 0;  // of scores
    double off_values = 0;
    double largest = 0;
    for (std::int64_t t = first; t <= r; ++t) {
      const std::span<const double> key = k.part(t, group, dim);
      double score = scale * std::inner_product(query.begin(), query.end(), key.begin(), 0.0);
      const double lengths = exact_length(query) * exact_length(key);
      off = std::max(off, scale * (exact_length(query) * k.off(t) + exact_length(key) * q.off(r) +
                                   q.off(r) * k.off(t)) +
                              static_cast<double>(dim + 12) * kUnit * scale * lengths);
      if (d_.attention_soft_cap != 0)
        score = d_.attention_soft_cap * std::tanh(score / d_.attention_soft_cap);
      p.push_back(score);
      off_values = std::max(off_values, v.off(t));
      largest = std::max(largest, exact_length(v.part(t, of_values, value_dim)));
    }
    const double sink = sinks.empty() ? -INFINITY : sinks[static_cast<std::size_t>(head)];
    const double most = std::max(*std::ranges::max_element(p), sink);
    for (double& x : p) x = std::exp(x - most);
    const double sum = std::accumulate(p.begin(), p.end(), std::exp(sink - most));
    std::ranges::fill(out, 0.0);
    for (std::size_t t = 0; t < p.size(); ++t) {
      const std::span<const double> value =
          v.part(first + static_cast<std::int64_t>(t), of_values, value_dim);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += p[t] / sum * value[i];
    }
    const double rounding = (2 * static_cast<double>(p.size()) + 16) * kUnit;
    return off_values + (std::expm1(2 * off) + rounding) * largest;
  }

  static double activated(double x, Activation activation) {
    switch (activation) {
      case Activation::silu:
        return x / (1 + std::exp(-x));
      case Activation::gelu_tanh:
        return x / 2 *
               (1 + std::tanh(std::sqrt(2 / 3.141592653589793) * (x + 0.044715 * x * x * x)));
      case Activation::gelu_erf:
        return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
      case Activation::gelu_sigmoid:
        return x / (1 + std::exp(-1.702 * x));
      case Activation::sigmoid:
        return 1 / (1 + std::exp(-x));
      case Activation::squared_relu:
        return x > 0 ? x * x : 0;
    }
    return x;
  }

  const Model& model_;
  const Decoder& d_;
  std::vector<std::int32_t> ids_;
  bool bounded_;
};

inline ExactRows exact_logits(const Model& model, std::vector<std::int32_t> ids,
                              bool bounded = true) {
  ExactOps ops(model, std::move(ids), bounded);
  const Network network = record(model);
  const ValueId logits = network.logits();
  return Interpreter(network, ops).run({}, {&logits, 1}).at(logits);
}

}  // namespace zp
