// Half-quadratic quantization (HQQ; Badri and Shaji, 2023): parameters fitted for the least
// sum h |w - q|^p, p = 0.7, instead of squares: large errors, those of outliers, count for less.
// Needs no calibration; h is the columns' importance where it is known, else 1.
//
// The paper's: the objective and its p, and that it is approached through problems in squares that
// have a solution. It splits the errors (w - q = e + rest, e = shrink(w - q)), keeps the scale as
// the range gives it and refits the zero to w - e in closed form. Here, generalised to every grid:
// the half-quadratic form that weights instead of splitting (Geman and Reynolds, 1992).
// |e|^p <= |f|^p + p/2 |f|^(p-2) (e^2 - f^2) for all e, with equality at e = f, so a grid's own
// search for the least weighted squares, weights h |f|^(p-2) of the errors f there are, lowers the
// objective whenever it lowers the squares, and chooses all parameters, scales too. Below kLeast of
// a block's root mean square error weights stay what they are there, else what happens to be exact
// would hold everything where it is. From the search for least squares on, each round must lower a
// block's objective, or what was is kept.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/elementary.h"
#include "method/coded_tile.h"
#include "method/method.h"

namespace zp {
namespace {

constexpr double kPower = 0.7;
constexpr double kLeast = 0.5;
constexpr int kRounds = 12;

// |x|^p; what FP32 can't hold is nothing.
double power(double x) {
  return std::fabs(x) < 1e-60 ? 0 : portable_exp(kPower * portable_log(std::fabs(x)));
}

// The columns of one block of one row.
class Block {
 public:
  Block(Matrix w, Floats h, std::int64_t begin, CodedTile& row)
      : w_(w.columns(begin, row.block_end(begin) - begin)),
        begin_(begin),
        row_(row),
        h_(static_cast<std::size_t>(w_.cols), 1.0f) {
    if (!h.empty()) h_.assign(h.begin() + begin, h.begin() + begin + w_.cols);
    errors_.resize(h_.size());
    weights_ = h_;
  }

  void run() {
    code();
    double best = cost();
    for (int round = 1; round < kRounds && weigh(); ++round) {
      const CodedTile::Part before = row_.part(begin_, begin_ + w_.cols);
      code();
      const double now = cost();
      if (!(now < best)) return row_.put_back(begin_, before, 0);
      best = now;
    }
  }

 private:
  void code() {
    row_.open_block(begin_, w_, weights_);
    for (std::int64_t j = 0; j < w_.cols; j = row_.unit_end(begin_ + j) - begin_) {
      const Matrix unit = w_.columns(j, row_.unit_end(begin_ + j) - begin_ - j);
      const auto count = static_cast<std::size_t>(unit.cols);
      row_.open_unit(begin_ + j, unit,
                     Floats(weights_).subspan(static_cast<std::size_t>(j), count));
      row_.encode(begin_ + j, {unit.data, unit.cols, 1});
    }
  }

  double cost() {
    const Floats values(row_.columns(begin_, w_.cols).data, h_.size());
    double sum = 0;
    for (std::size_t j = 0; j < h_.size(); ++j) {
      errors_[j] = static_cast<double>(w_.row(0)[j]) - static_cast<double>(values[j]);
      sum += static_cast<double>(h_[j]) * power(errors_[j]);
    }
    return sum;
  }

  // False: there is no error.
  bool weigh() {
    double squares = 0;
    for (const double e : errors_) squares += e * e;
    if (!(squares > 0)) return false;
    const double rms = std::sqrt(squares / static_cast<double>(errors_.size()));
    for (std::size_t j = 0; j < h_.size(); ++j) {
      const double e = std::max(std::fabs(errors_[j]) / rms, kLeast);
      weights_[j] = static_cast<float>(static_cast<double>(h_[j]) * power(e) / (e * e));
    }
    return true;
  }

  Matrix w_;
  std::int64_t begin_;
  CodedTile& row_;
  std::vector<float> h_;
  std::vector<double> errors_;
  std::vector<float> weights_;
};

// Weights differ from row to row, so rows come one by one.
void code(const Grid& grid, Matrix w, const InputStatistics& inputs, const MethodOptions&,
          PlanesOut out) {
  std::vector<std::byte*> to(out.begin(), out.end());
  for (std::int64_t r = 0; r < w.rows; ++r) {
    CodedTile row(grid, 1, w.cols);
    const Matrix weights(w.row(r).data(), 1, w.cols);
    for (std::int64_t j = 0; j < w.cols; j = row.block_end(j))
      Block(weights, inputs.importance, j, row).run();
    row.pack(to);
    for (std::size_t p = 0; p < to.size(); ++p) to[p] += grid.row_bytes(p, w.cols);
  }
}

}  // namespace

extern const Method method_hqq;
const Method method_hqq{"hqq",
                        "half-quadratic: ranges for the least sum of errors^0.7, so that outliers "
                        "count for less; no calibration",
                        Fit::search, false, code};

}  // namespace zp
