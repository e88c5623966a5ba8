// A state S of rows i and columns j, before a token S'; g: the gradient of what is read, D: that of S, which comes
// from the token behind.
//
// The delta rule: F = a S', e = v - F^T k, m = b e, S = F + k m^T, o = S^T q.
//   D += q g^T    dq = S g    dm = D^T k    dk = D m    db = dm e    dv = b dm
//   D -= k dv^T   dk -= F dv  da = <D, S'>  D' = a D
// A state space: S = a S' + w (s x)^T, o = S^T r + skip x.
//   D += r g^T    dr = S g    u = D^T w     dw = D (s x)             da = <D, S'>    D' = a D
//   dx = s u + skip g         ds = u x, and what a has of it
//
// a is e^-(e^rate s), s a softplus: its slope by s is -e^rate a, that of the softplus a sigmoid.
#include "engine/state_gradient.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/checked.h"
#include "engine/softplus.h"
#include "kernel/functions.h"
#include "kernel/matmul.h"

namespace zp {
namespace {

constexpr std::int64_t kTokens = 64;  // whose states are there at once
constexpr std::int64_t kHeads = 8;    // whose shares of what several heads read are there at once

double sigmoid(double x) { return 1 / (1 + bounded_exp(-x)); }

double rate_of(Floats rates, std::int64_t head) {
  return bounded_exp(static_cast<double>(rates[static_cast<std::size_t>(head)]));
}

// The states before the tokens of a run: every kTokens'th is kept, those between are computed again when
// the last token of theirs asks. step(row, state): what a token makes of a state.
template <class Step>
class StatesBefore {
 public:
  StatesBefore(const TokenRun& run, std::int64_t size, const Step& step)
      : run_(run), step_(step), size_(static_cast<std::size_t>(size)) {
    std::vector<float> state(size_);
    for (std::int64_t t = 0; t < run.count; ++t) {
      if (t % kTokens == 0) kept_.insert(kept_.end(), state.begin(), state.end());
      step_(run.begin + t, std::span(state));
    }
    between_.resize(static_cast<std::size_t>(std::min(kTokens, run.count)) * size_);
  }

  /// REQUIRES: tokens are asked for from the last to the first.
  Floats before(std::int64_t token) {
    if (token % kTokens == kTokens - 1 || token == run_.count - 1) compute(token / kTokens);
    return state_of(token % kTokens);
  }

 private:
  void compute(std::int64_t part) {
    const Floats begin = Floats(kept_).subspan(static_cast<std::size_t>(part) * size_, size_);
    std::ranges::copy(begin, state_of(0).begin());
    const std::int64_t count = std::min(kTokens, run_.count - part * kTokens);
    for (std::int64_t t = 1; t < count; ++t) {
      std::ranges::copy(state_of(t - 1), state_of(t).begin());
      step_(run_.begin + part * kTokens + t - 1, state_of(t));
    }
  }
  std::span<float> state_of(std::int64_t i) {
    return std::span(between_).subspan(static_cast<std::size_t>(i) * size_, size_);
  }

  const TokenRun& run_;
  const Step& step_;
  std::size_t size_;
  std::vector<float> kept_;
  std::vector<float> between_;
};

// of_head(run, head, shared): what the head says, to `shared`, a row of `width` for each token of the run, what it
// says of what other heads read too. Then add_shared(run, head, shared), in the heads' order.
template <class OfHead, class AddShared>
void each_head(std::span<const TokenRun> runs, std::int64_t heads, std::int64_t width,
               const Team& team, const OfHead& of_head, const AddShared& add_shared) {
  std::int64_t longest = 0;
  for (const TokenRun& run : runs) longest = std::max(longest, run.count);
  std::vector<float> floats(static_cast<std::size_t>(kHeads * longest * width));
  const auto shared = [&](std::int64_t i) {
    return View2D<float>(&floats[static_cast<std::size_t>(i * longest * width)], longest, width);
  };
  for (const TokenRun& run : runs) {
    for (std::int64_t first = 0; first < heads; first += kHeads) {
      const std::int64_t count = std::min(kHeads, heads - first);
      team.run(count, [&](std::int64_t i) { of_head(run, first + i, shared(i)); });
      for (std::int64_t i = 0; i < count; ++i) add_shared(run, first + i, shared(i));
    }
  }
}

void clear(View2D<float> x) {
  for (std::int64_t r = 0; r < x.rows; ++r) std::ranges::fill(x.row(r), 0.0f);
}

void add_to(View2D<float> to, const TokenRun& run, Matrix x) {
  for (std::int64_t t = 0; t < run.count; ++t) add(to.row(run.begin + t), x.row(t));
}

// What a state was made of, of the gradient of x f / |x|.
void normalized_gradient(Floats x, double factor, std::span<float> gradient) {
  const double inverse = inverse_length(x);
  const double along = static_cast<double>(dot(x, gradient)) * inverse * inverse;
  for (std::size_t i = 0; i < x.size(); ++i)
    gradient[i] = static_cast<float>(factor * inverse * (gradient[i] - x[i] * along));
}

// ---- the delta rule

class DeltaHead {
 public:
  DeltaHead(const GatedDeltaGradient& job, const TokenRun& run, std::int64_t head)
      : job_(job),
        run_(run),
        head_(head),
        keys_(job.of.heads.key_dim),
        values_(static_cast<std::size_t>(job.of.heads.value_dim)),
        query_(static_cast<std::size_t>(keys_)),
        key_(query_.size()),
        error_(values_),
        moved_(values_),
        of_moved_(values_),
        row_(values_),
        of_state_(query_.size() * values_) {}

  // shared: of the queries, then of the keys.
  void compute(Matrix gradient, View2D<float> shared) {
    const auto step = [&](std::int64_t row, std::span<float> state) {
      delta_step(token(row), state, row_);
    };
    const GatedDelta& of = job_.of;
    StatesBefore states(run_, std::ssize(of_state_), step);
    for (std::int64_t t = run_.count; t-- > 0;) {
      const std::int64_t r = run_.begin + t;
      const std::span<float> of_query = shared.columns(0, keys_).row(t);
      const std::span<float> of_key = shared.columns(keys_, keys_).row(t);
      const Floats before = states.before(t);
      back(r, before, gradient.row(r), of_query, of_key);
      normalized_gradient(of.queries(job_.qkv, head_).row(r), of.natural(), of_query);
      normalized_gradient(of.keys(job_.qkv, head_).row(r), 1, of_key);
    }
  }

 private:
  DeltaToken token(std::int64_t row) {
    return job_.of.token(job_.qkv, job_.beta, job_.decay, row, head_, query_, key_);
  }
  std::span<float> of_row(std::size_t i) {
    return std::span(of_state_).subspan(i * values_, values_);
  }

  void back(std::int64_t r, Floats before, Floats g, std::span<float> of_query,
            std::span<float> of_key) {
    const DeltaToken now = token(r);
    const auto faded = [&](std::size_t i) {
      std::ranges::copy(before.subspan(i * values_, values_), row_.begin());
      scale(row_, now.decay);
    };
    std::ranges::copy(now.value, error_.begin());
    for (std::size_t i = 0; i < key_.size(); ++i) {
      faded(i);
      add_scaled(error_, row_, -now.key[i]);
    }
    std::ranges::copy(error_, moved_.begin());
    scale(moved_, now.beta);
    std::ranges::fill(of_moved_, 0.0f);
    for (std::size_t i = 0; i < key_.size(); ++i) {
      faded(i);
      add_scaled(row_, moved_, now.key[i]);
      of_query[i] = dot(row_, g);
      add_scaled(of_row(i), g, now.query[i]);
      of_key[i] = dot(of_row(i), moved_);
      add_scaled(of_moved_, of_row(i), now.key[i]);
    }
    const auto h = static_cast<std::size_t>(head_);
    job_.of_beta.row(r)[h] = dot(of_moved_, error_);
    scale(of_moved_, now.beta);
    std::ranges::copy(of_moved_, job_.of.values(job_.of_qkv, head_).row(r).begin());
    double of_decay = 0;
    for (std::size_t i = 0; i < key_.size(); ++i) {
      faded(i);
      of_key[i] -= dot(row_, of_moved_);
      add_scaled(of_row(i), of_moved_, -now.key[i]);
      of_decay += static_cast<double>(dot(of_row(i), before.subspan(i * values_, values_)));
      scale(of_row(i), now.decay);
    }
    const double said = static_cast<double>(job_.decay.row(r)[h]) + job_.of.bias[h];
    job_.of_decay.row(r)[h] =
        static_cast<float>(-of_decay * now.decay * rate_of(job_.of.rate, head_) * sigmoid(said));
  }

  const GatedDeltaGradient& job_;
  const TokenRun& run_;
  std::int64_t head_;
  std::int64_t keys_;
  std::size_t values_;
  std::vector<float> query_;
  std::vector<float> key_;
  std::vector<float> error_;
  std::vector<float> moved_;
  std::vector<float> of_moved_;
  std::vector<float> row_;
  std::vector<float> of_state_;
};

// ---- state spaces

class ScanHead {
 public:
  ScanHead(const SelectiveScanGradient& job, const TokenRun& run, std::int64_t head)
      : job_(job),
        run_(run),
        head_(head),
        rows_(job.of.space.state),
        values_(static_cast<std::size_t>(job.of.space.head_dim)),
        written_(values_),
        of_written_(values_),
        row_(values_),
        of_state_(static_cast<std::size_t>(rows_) * values_) {}

  // shared: of what writes, then of what reads.
  void compute(Matrix gradient, View2D<float> shared) {
    const auto step = [&](std::int64_t row, std::span<float> state) {
      state_step(job_.of.token(job_.x, job_.steps, row, head_), state, row_);
    };
    StatesBefore states(run_, std::ssize(of_state_), step);
    for (std::int64_t t = run_.count; t-- > 0;) {
      const std::int64_t r = run_.begin + t;
      back(r, states.before(t), job_.of.inputs(gradient, head_).row(r),
           shared.columns(0, rows_).row(t), shared.columns(rows_, rows_).row(t));
    }
  }

 private:
  std::span<float> of_row(std::size_t i) {
    return std::span(of_state_).subspan(i * values_, values_);
  }

  void back(std::int64_t r, Floats before, Floats g, std::span<float> of_write,
            std::span<float> of_read) {
    const StateToken now = job_.of.token(job_.x, job_.steps, r, head_);
    std::ranges::copy(now.input, written_.begin());
    scale(written_, now.step);
    std::ranges::fill(of_written_, 0.0f);
    double of_left = 0;
    for (std::size_t i = 0; i < now.write.size(); ++i) {
      const Floats was = before.subspan(i * values_, values_);
      std::ranges::copy(was, row_.begin());
      scale(row_, now.left);
      add_scaled(row_, written_, now.write[i]);
      of_read[i] = dot(row_, g);
      add_scaled(of_row(i), g, now.read[i]);
      of_write[i] = dot(of_row(i), written_);
      add_scaled(of_written_, of_row(i), now.write[i]);
      of_left += static_cast<double>(dot(of_row(i), was));
      scale(of_row(i), now.left);
    }
    const std::span<float> of_input = job_.of.inputs(job_.of_x, head_).row(r);
    std::ranges::copy(of_written_, of_input.begin());
    scale(of_input, now.step);
    add_scaled(of_input, g, now.skip);
    const auto h = static_cast<std::size_t>(head_);
    const double said = static_cast<double>(job_.steps.row(r)[h]) + job_.of.bias[h];
    const double step = softplus(said);
    const bool free = step > job_.of.space.least_step && step < job_.of.space.most_step;
    const double of_step = static_cast<double>(dot(of_written_, now.input)) -
                           of_left * now.left * rate_of(job_.of.rate, head_);
    job_.of_steps.row(r)[h] = free ? static_cast<float>(of_step * sigmoid(said)) : 0.0f;
  }

  const SelectiveScanGradient& job_;
  const TokenRun& run_;
  std::int64_t head_;
  std::int64_t rows_;
  std::size_t values_;
  std::vector<float> written_;
  std::vector<float> of_written_;
  std::vector<float> row_;
  std::vector<float> of_state_;
};

}  // namespace

void GatedDeltaGradient::compute(Matrix gradient, std::span<const TokenRun> runs,
                                 const Team& team) const {
  const std::int64_t width = of.heads.key_dim;
  clear(of_qkv);
  each_head(
      runs, of.heads.values, 2 * width, team,
      [&](const TokenRun& run, std::int64_t head, View2D<float> shared) {
        const Matrix of_head = gradient.columns(head * of.heads.value_dim, of.heads.value_dim);
        DeltaHead(*this, run, head).compute(of_head, shared);
      },
      [&](const TokenRun& run, std::int64_t head, Matrix shared) {
        add_to(of.queries(of_qkv, head), run, shared.columns(0, width));
        add_to(of.keys(of_qkv, head), run, shared.columns(width, width));
      });
}

void SelectiveScanGradient::compute(Matrix gradient, std::span<const TokenRun> runs,
                                    const Team& team) const {
  const std::int64_t width = of.space.state;
  clear(of_x);
  each_head(
      runs, of.space.heads, 2 * width, team,
      [&](const TokenRun& run, std::int64_t head, View2D<float> shared) {
        ScanHead(*this, run, head).compute(gradient, shared);
      },
      [&](const TokenRun& run, std::int64_t head, Matrix shared) {
        add_to(of.writes(of_x, head), run, shared.columns(0, width));
        add_to(of.reads(of_x, head), run, shared.columns(width, width));
      });
}

std::int64_t state_gradient_floats(const Decoder& decoder, std::int64_t length, int threads) {
  const DeltaHeads& delta = decoder.delta;
  const StateSpace& space = decoder.space;
  const std::int64_t state =
      std::max(delta.key_dim * delta.value_dim, space.state * space.head_dim);
  const std::int64_t shared = 2 * std::max(delta.key_dim, space.state);
  return threads * (ceil_div(length, kTokens) + kTokens + 1) * state + kHeads * length * shared;
}

}  // namespace zp
