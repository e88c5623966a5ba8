// Half-quadratic quantization (HQQ; Badri and Shaji, 2023): parameters fitted for the least
// sum h |w - q|^p, p = 3/4, instead of squares: large errors, those of outliers, count for less.
// Needs no calibration; h is the columns' importance where it is known, else 1.
//
// The paper's: the objective (its p is 0.7; two square roots give 3/4, the same bits everywhere),
// and that it is approached through problems in squares that have a solution. It splits the errors
// (w - q = e + rest, e = shrink(w - q)), keeps the scale as the range gives it and refits the zero
// to w - e in closed form. Here, generalised to every grid: the half-quadratic form that weights
// instead of splitting (Geman and Reynolds, 1992).
// |e|^p <= |f|^p + p/2 |f|^(p-2) (e^2 - f^2) for all e, with equality at e = f, so a grid's own
// search for the least weighted squares, weights h |f|^(p-2) of the errors f there are, lowers the
// objective whenever it lowers the squares, and chooses all parameters, scales too. Below kLeast of
// a block's root mean square error weights stay what they are there, else what happens to be exact
// would hold everything where it is. From the search for least squares on, each round must lower a
// block's objective, or what was is kept and the block is done.
//
// A block's codes follow from its weights and its h alone, so what is kept of a round is the h it
// was searched with; blocks that are not done stand together as a shorter row.
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "grid/plane_buffers.h"
#include "method/method.h"

namespace zp {
namespace {

constexpr float kLeast = 0.5f;
// Each of two costs is the sum of positive terms off by 5 roundings to FP32 at most: less than this
// is no gain.
constexpr double kGain = 0x1p-20;
constexpr int kRounds = 12;

// x^(3/4), x >= 0.
float power(float x) {
  const float root = std::sqrt(x);
  return root * std::sqrt(root);
}

// A row, block by block.
class Row {
 public:
  Row(const Grid& grid, Floats w, Floats importance)
      : grid_(grid),
        block_(static_cast<std::size_t>(grid.shape(std::ssize(w)).block)),
        w_(w),
        h_(importance.begin(), importance.end()),
        errors_(w.size()),
        powers_(w.size()) {
    if (h_.empty()) h_.assign(w.size(), 1.0f);
    found_ = h_;
    for (std::size_t b = 0; b < w.size(); b += block_) open_.push_back({b, 0});
  }

  /// The weights of the squares that the search is to look for.
  Floats run() {
    for (int round = 0; round < kRounds && gather(round); ++round) {
      code();
      compare(round);
    }
    return found_;
  }

 private:
  struct Block {
    std::size_t begin;
    double cost;
  };
  std::size_t width(const Block& b) const { return std::min(block_, w_.size() - b.begin); }

  // Open blocks, one behind the other, with what their squares weigh this time. Those without an
  // error are done. False: all are.
  bool gather(int round) {
    tried_w_.resize(w_.size());
    tried_h_.resize(w_.size());
    std::vector<Block> open;
    std::size_t at = 0;
    for (const Block& b : open_) {
      const std::size_t count = width(b);
      const auto part = [&](auto& all) { return std::span(all).subspan(b.begin, count); };
      const auto to = std::span(tried_h_).subspan(at, count);
      if (round == 0) {
        std::ranges::copy(part(h_), to.begin());
      } else if (!weigh(part(h_), part(errors_), part(powers_), to)) {
        continue;
      }
      std::ranges::copy(part(w_), tried_w_.begin() + static_cast<std::ptrdiff_t>(at));
      at += count;
      open.push_back(b);
    }
    tried_w_.resize(at);
    tried_h_.resize(at);
    open_ = std::move(open);
    return !open_.empty();
  }

  // out <- h |f|^(p-2), f the errors as multiples of their root mean square, or kLeast. False:
  // there is none.
  static bool weigh(Floats h, Floats errors, Floats powers, std::span<float> out) {
    double squares = 0;
    for (const float e : errors) squares += static_cast<double>(e) * static_cast<double>(e);
    const auto rms = static_cast<float>(std::sqrt(squares / static_cast<double>(errors.size())));
    if (!(rms > 0)) return false;
    const float of_rms = power(rms);
    const float most = power(kLeast) / (kLeast * kLeast);
    for (std::size_t j = 0; j < out.size(); ++j) {
      const float f = errors[j] / rms;
      const float share = powers[j] / (of_rms * f * f);
      out[j] = h[j] * (f > kLeast ? share : most);
    }
    return true;
  }

  void code() {
    const auto cols = std::ssize(tried_w_);
    grid_.quantize({tried_w_.data(), 1, cols}, tried_h_, Fit::search,
                   make_room(grid_, 1, cols, planes_));
    values_.resize(tried_w_.size());
    decode(grid_, planes_, {values_.data(), 1, cols});
  }

  // Blocks that are better now have found something; the others are done.
  void compare(int round) {
    std::vector<Block> open;
    std::size_t begin = 0;
    for (const Block& b : open_) {
      const std::size_t count = width(b);
      const auto h = std::span(h_).subspan(b.begin, count);
      const auto errors = std::span(values_).subspan(begin, count);
      trial_.resize(count);
      double cost = 0;
      for (std::size_t i = 0; i < count; ++i) {
        errors[i] = std::fabs(tried_w_[begin + i] - errors[i]);
        trial_[i] = power(errors[i]);
        cost += static_cast<double>(h[i] * trial_[i]);
      }
      if (round == 0 || cost < b.cost * (1 - kGain)) {
        const auto at = static_cast<std::ptrdiff_t>(b.begin);
        std::ranges::copy(std::span(tried_h_).subspan(begin, count), found_.begin() + at);
        std::ranges::copy(errors, errors_.begin() + at);
        std::ranges::copy(trial_, powers_.begin() + at);
        open.push_back({b.begin, cost});
      }
      begin += count;
    }
    open_ = std::move(open);
  }

  const Grid& grid_;
  std::size_t block_;
  Floats w_;
  std::vector<float> h_;
  std::vector<float> found_;   // what a block's best squares weighed
  std::vector<float> errors_;  // magnitudes, as found
  std::vector<float> powers_;  // of them
  std::vector<Block> open_;
  std::vector<float> tried_w_, tried_h_;  // of open blocks
  std::vector<float> values_, trial_;
  PlaneBuffers planes_;
};

class Hqq final : public Coder {
 public:
  Hqq()
      : Coder("hqq",
              "half-quadratic: ranges for the least sum of errors^(3/4), so that outliers "
              "count for less; no calibration") {}

  std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics& inputs,
                             PlanesOut out) const override {
    std::vector<std::byte*> to(out.begin(), out.end());
    for (std::int64_t r = 0; r < w.rows; ++r) {
      Row row(grid, w.row(r), inputs.importance);
      grid.quantize({w.row(r).data(), 1, w.cols}, row.run(), Fit::search, to);
      for (std::size_t p = 0; p < to.size(); ++p) to[p] += grid.row_bytes(p, w.cols);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Coder> method_hqq() { return std::make_unique<Hqq>(); }

}  // namespace zp
