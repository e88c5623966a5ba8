// With s = score(q k), p = softmax(s), o = p v and the gradient g of o:
//
//   dv = p^T g      dp = g v^T      ds = p (dp - p dp)      dq = ds k      dk = ds^T q
//
// ds times the slope of the score: the scale, and 1 - (s / cap)^2 where scores are capped.
#include "engine/attention_gradient.h"

#include <algorithm>
#include <vector>

#include "kernel/functions.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"

namespace zp {
namespace {

constexpr std::int64_t kQueries = 128;  // rows whose scores are there at once

struct Floats2D {
  Floats2D(std::int64_t rows, std::int64_t cols)
      : floats(static_cast<std::size_t>(rows * row_stride(cols))),
        view(floats.data(), rows, cols, row_stride(cols)) {}
  std::vector<float> floats;
  View2D<float> view;
};

Floats2D transposed(Matrix x) {
  Floats2D out(x.cols, x.rows);
  transpose(x, out.view);
  return out;
}

void add_to(View2D<float> to, Matrix x) {
  for (std::int64_t r = 0; r < x.rows; ++r) add(to.row(r), x.row(r));
}

// The heads of a run that share one head of keys.
class Group {
 public:
  Group(const AttentionGradient& of, Matrix gradient, const TokenRun& run,
        const AttentionShape& shape, std::int64_t kv_head)
      : of_(of),
        gradient_(gradient),
        run_(run),
        shape_(shape),
        kv_head_(kv_head),
        heads_(shape.heads / shape.kv_heads),
        k_(rows_of(of.k, kv_head, shape.head_dim)),
        v_(rows_of(of.v, kv_head, shape.value_dim)) {}

  void compute() {
    for (std::int64_t r = 0; r < run_.count; ++r) {
      std::ranges::fill(rows_of(of_.dk, kv_head_, shape_.head_dim).row(r), 0.0f);
      std::ranges::fill(rows_of(of_.dv, kv_head_, shape_.value_dim).row(r), 0.0f);
    }
    const std::int64_t step = std::max(kQueries / heads_, std::int64_t{1});
    for (std::int64_t begin = 0; begin < run_.count; begin += step)
      queries(begin, std::min(step, run_.count - begin));
  }

 private:
  template <class M>
  M rows_of(M all, std::int64_t head, std::int64_t width) const {
    return all.columns(head * width, width).rows_from(run_.begin, run_.count);
  }

  // Row i * heads + g: token begin + i, head g of the group.
  Floats2D gathered(Matrix all, std::int64_t width, std::int64_t begin, std::int64_t count) const {
    Floats2D out(count * heads_, width);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t g = 0; g < heads_; ++g)
        std::ranges::copy(rows_of(all, kv_head_ * heads_ + g, width).row(begin + i),
                          out.view.row(i * heads_ + g).begin());
    }
    return out;
  }

  void queries(std::int64_t begin, std::int64_t count) {
    const std::int64_t end = begin + count;
    const std::int64_t from =
        shape_.window ? std::max(begin - *shape_.window + 1, std::int64_t{0}) : 0;
    const std::int64_t keys = end - from;
    const Floats2D q = gathered(of_.q, shape_.head_dim, begin, count);
    const Floats2D g = gathered(gradient_, shape_.value_dim, begin, count);
    const Matrix k = k_.rows_from(from, keys);

    Floats2D p(count * heads_, keys);
    Floats2D ds(count * heads_, keys);
    matmul(q.view, k, p.view);
    matmul(g.view, v_.rows_from(from, keys), ds.view);
    for (std::int64_t r = 0; r < p.view.rows; ++r)
      differentiate(p.view.row(r), ds.view.row(r), from, begin + r / heads_,
                    kv_head_ * heads_ + r % heads_);

    Floats2D dq(q.view.rows, q.view.cols);
    weighted_rows(ds.view, k, dq.view);
    for (std::int64_t r = 0; r < dq.view.rows; ++r)
      std::ranges::copy(dq.view.row(r),
                        rows_of(of_.dq, kv_head_ * heads_ + r % heads_, shape_.head_dim)
                            .row(begin + r / heads_)
                            .begin());
    Floats2D dk(keys, shape_.head_dim);
    weighted_rows(transposed(ds.view).view, q.view, dk.view);
    add_to(rows_of(of_.dk, kv_head_, shape_.head_dim).rows_from(from, keys), dk.view);
    Floats2D dv(keys, shape_.value_dim);
    weighted_rows(transposed(p.view).view, g.view, dv.view);
    add_to(rows_of(of_.dv, kv_head_, shape_.value_dim).rows_from(from, keys), dv.view);
  }

  // Products with keys become probabilities, the gradients of these those of the products.
  void differentiate(std::span<float> p, std::span<float> d, std::int64_t from,
                     std::int64_t position, std::int64_t head) const {
    score(p, from, position, shape_);
    std::vector<float> slopes(p.size(), shape_.scale);
    if (shape_.soft_cap != 0) {
      for (std::size_t i = 0; i < p.size(); ++i) {
        const float share = p[i] / shape_.soft_cap;  // -inf where the probability is 0
        slopes[i] *= std::max(1 - share * share, 0.0f);
      }
    }
    softmax(p, sink_of(shape_, head));
    const float mean = dot(p, d);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = p[i] * (d[i] - mean) * slopes[i];
  }

  const AttentionGradient& of_;
  Matrix gradient_;
  const TokenRun& run_;
  const AttentionShape& shape_;
  std::int64_t kv_head_;
  std::int64_t heads_;
  Matrix k_;
  Matrix v_;
};

}  // namespace

void AttentionGradient::compute(Matrix gradient, std::span<const TokenRun> runs,
                                const AttentionShape& shape, const Team& team) const {
  team.run(std::ssize(runs) * shape.kv_heads, [&](std::int64_t i) {
    const TokenRun& run = runs[static_cast<std::size_t>(i / shape.kv_heads)];
    Group(*this, gradient, run, shape, i % shape.kv_heads).compute();
  });
}

}  // namespace zp
