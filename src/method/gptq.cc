// GPTQ (Frantar et al., 2022): columns are coded in order, and the error of each is made up for by
// the columns not coded yet, so that tr((W - Q) H (W - Q)^T) stays small, H the inputs' second
// moments.
//
// With U^T U = H^-1 (feedback.h), e_j = (w_j - q_j) / U_jj and w_k -= e_j U_jk for every k > j,
// where w_j is what the errors before left of the weight. Columns go in chunks: what all chunks
// before owe to one is a product of matrices, inside a chunk errors are spread one by one. Blocks
// and units are fitted to the weights as they stand when their first column comes (in another order
// of columns: to the weights before all of them); the columns of a step are chosen together, to the
// weights before any of them. Before it all, W becomes what undoes the layers before (corrected.h);
// after it, units are fitted anew and codes improved by what all others have become (refit.h,
// descent.h).
//
// What a float type of 16 bits or more keeps has no error worth spreading: it is rounded as it is.
// To make up for layers before would change every weight that was to be kept; `floats=adjust` does.
//
// Rows don't know each other, so tiles of rows have the same bits however they are cut.
#include <algorithm>
#include <functional>
#include <vector>

#include "kernel/changes.h"
#include "kernel/matmul.h"
#include "kernel/transpose.h"
#include "method/coded_tile.h"
#include "method/corrected.h"
#include "method/descent.h"
#include "method/method.h"
#include "method/refit.h"

namespace zp {
namespace {

constexpr std::int64_t kChunk = 128;
constexpr std::int64_t kLongest = 256;  // blocks and units up to here are never cut by a chunk

// Columns stand here in the order they are coded in: their places.
class Feedback {
 public:
  Feedback(Matrix w, const InputStatistics& inputs, Floats costs, float limit, CodedTile& tile)
      : w_(w),
        inputs_(inputs),
        costs_(costs),
        tile_(tile),
        limit_(limit),
        stride_(row_stride(w.cols)),
        turned_(size(w.cols * w.rows)),
        now_(size(w.cols * w.rows)),
        errors_(size(w.rows * stride_)) {
    transpose(w, View2D<float>(turned_.data(), w.cols, w.rows));
  }

  void run() {
    if (!inputs_.order.empty()) open_all();
    for (std::int64_t begin = 0; begin < w_.cols;) {
      const std::int64_t end = chunk_end(begin);
      make_up(begin, std::max(end, opened_end(begin)));
      copy_factor(begin, end);
      for (std::int64_t i = begin; i < end;) i = step(i, end);
      keep_errors();
      begin = end;
    }
  }

 private:
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
  /// The weights at `count` places, count x rows.
  View2D<float> now(std::int64_t begin, std::int64_t count) {
    return View2D<float>(now_.data(), w_.cols, w_.rows).rows_from(begin, count);
  }
  std::int64_t column(std::int64_t place) const {
    return inputs_.order.empty() ? place : inputs_.order[static_cast<std::size_t>(place)];
  }

  void open_all() {
    for (std::int64_t j = 0; j < w_.cols; j = tile_.unit_end(j)) {
      if (j % tile_.shape().block == 0) open_block(j, w_.columns(j, tile_.block_end(j) - j));
      open_unit(j, w_.columns(j, tile_.unit_end(j) - j));
    }
  }
  void open_block(std::int64_t j, Matrix w) { tile_.open_block(j, w, costs(j, w.cols)); }
  void open_unit(std::int64_t j, Matrix w) { tile_.open_unit(j, w, costs(j, w.cols)); }
  Floats costs(std::int64_t begin, std::int64_t count) const {
    return costs_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  }

  // Chunks are of whole blocks; of long blocks of whole units; of long units of whole steps.
  std::int64_t chunk_end(std::int64_t begin) const {
    const GridShape& shape = tile_.shape();
    const auto of = [&](std::int64_t size, std::int64_t limit) {
      return std::min(limit, begin + std::max(kChunk / size, std::int64_t{1}) * size);
    };
    if (!inputs_.order.empty()) return of(shape.step, w_.cols);
    if (shape.block <= kLongest) return of(shape.block, w_.cols);
    if (shape.unit <= kLongest) return of(shape.unit, tile_.block_end(begin));
    return of(shape.step, tile_.unit_end(begin));
  }

  // The column behind what is opened when column `begin` comes.
  std::int64_t opened_end(std::int64_t begin) const {
    if (!inputs_.order.empty()) return begin;
    const std::int64_t in_block = begin % tile_.shape().block;
    if (in_block == 0) return tile_.block_end(begin);
    return in_block % tile_.shape().unit == 0 ? tile_.unit_end(begin) : begin;
  }

  // The weights at places [begin, end) with what all errors before `begin` owe them.
  void make_up(std::int64_t begin, std::int64_t end) {
    const View2D<float> to = now(begin, end - begin);
    if (begin > 0) {
      matmul(inputs_.feedback.columns(0, begin).rows_from(begin, to.rows),
             Matrix(errors_.data(), w_.rows, begin, stride_), to);
    }
    for (std::int64_t k = 0; k < to.rows; ++k) {
      const Floats from = Matrix(turned_.data(), w_.cols, w_.rows).row(column(begin + k));
      const std::span<float> row = to.row(k);
      if (begin == 0) {
        std::ranges::copy(from, row.begin());
      } else {
        std::ranges::transform(from, row, row.begin(), std::minus());
      }
    }
  }

  // The chunk's square of U, rows contiguous.
  void copy_factor(std::int64_t begin, std::int64_t end) {
    chunk_ = begin;
    width_ = end - begin;
    factor_.resize(size(width_ * width_));
    chunk_errors_.resize(size(width_ * w_.rows));
    for (std::int64_t k = 0; k < width_; ++k) {
      const Floats column = inputs_.feedback.columns(begin, width_).row(begin + k);
      for (std::int64_t j = 0; j <= k; ++j)
        factor_[static_cast<std::size_t>(j * width_ + k)] = column[static_cast<std::size_t>(j)];
    }
  }

  // Codes the step at a place; the place behind it.
  std::int64_t step(std::int64_t i, std::int64_t chunk_end) {
    const std::int64_t j = column(i);
    const std::int64_t in_block = j % tile_.shape().block;
    if (inputs_.order.empty()) {
      if (in_block == 0) open_block(j, bounded(i, tile_.block_end(j) - j));
      if (in_block % tile_.shape().unit == 0) open_unit(j, bounded(i, tile_.unit_end(j) - j));
    }
    const std::int64_t width = tile_.step_end(j) - j;
    bound(i, width);
    tile_.encode(j, now(i, width));
    for (std::int64_t k = 0; k < width; ++k) spread(i + k, tile_.column(j + k), chunk_end);
    return i + width;
  }

  // What errors have made of the weights may lie beyond what the grid can hold.
  void bound(std::int64_t begin, std::int64_t count) {
    for (float& w : std::span(now(begin, count).data, size(count * w_.rows)))
      w = std::clamp(w, -limit_, limit_);
  }

  // The same, row after row.
  Matrix bounded(std::int64_t begin, std::int64_t count) {
    bound(begin, count);
    by_row_.resize(size(w_.rows * count));
    transpose(Matrix(now(begin, count)), View2D<float>(by_row_.data(), w_.rows, count));
    return {by_row_.data(), w_.rows, count};
  }

  // The error at a place goes to those behind it in the chunk.
  void spread(std::int64_t i, Floats decoded, std::int64_t end) {
    const Floats u = Floats(factor_).subspan(size((i - chunk_) * (width_ + 1)), size(end - i));
    const View2D<float> behind = now(i, end - i);
    const std::span<float> less =
        View2D<float>(chunk_errors_.data(), width_, w_.rows).row(i - chunk_);
    for (std::size_t r = 0; r < less.size(); ++r) less[r] = -((behind.data[r] - decoded[r]) / u[0]);
    add_outer(u.subspan(1), less, behind.rows_from(1, end - i - 1));
  }

  void keep_errors() {
    for (float& e : chunk_errors_) e = -e;
    transpose(Matrix(chunk_errors_.data(), width_, w_.rows),
              View2D<float>(errors_.data(), w_.rows, w_.cols, stride_).columns(chunk_, width_));
  }

  Matrix w_;
  const InputStatistics& inputs_;
  Floats costs_;
  CodedTile& tile_;
  float limit_;
  std::int64_t stride_;
  std::vector<float> turned_;        // W, column after column
  std::vector<float> now_;           // weights with what errors so far owe them, likewise
  std::vector<float> errors_;        // e_i of whole chunks, row after row
  std::vector<float> chunk_errors_;  // -e_i of the chunk, column after column
  std::vector<float> by_row_;
  std::vector<float> factor_;
  std::int64_t chunk_ = 0;
  std::int64_t width_ = 0;
};

// Whether the grid keeps weights, but for one rounding each.
bool keeps(const Grid& grid) {
  return grid.family() == Family::floating && grid.bits_per_weight(1, 1) >= 16;
}

// What an error in each column costs: its share of tr((W - Q) H (W - Q)^T), once all columns behind
// have made up for it, is its square by 1 / U_jj^2.
std::vector<float> costs(const InputStatistics& inputs) {
  std::vector<float> out(static_cast<std::size_t>(inputs.feedback.cols));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float u = inputs.feedback.row(static_cast<std::int64_t>(i))[i];
    out[inputs.order.empty() ? i : static_cast<std::size_t>(inputs.order[i])] = 1 / (u * u);
  }
  return out;
}

class Gptq final : public Coder {
 public:
  Gptq()
      : Coder("gptq",
              "each column's error is made up for by those behind it, and what layers before have "
              "done, as a text shows them") {
    take({either("upstream", upstream_, "on", "off"), either("order", order_, "on", "off"),
          number_within("damp", "X", damp_, 1e-6, 1e6),
          number_within("shrink", "X", shrink_, 0.0, 1e6),
          number_within("sweeps", "N", sweeps_, 0, 100),
          either("floats", adjusts_floats_, "adjust", "keep")});
  }

  std::optional<double> code(const Grid& grid, Matrix w, const InputStatistics& inputs,
                             PlanesOut out) const override {
    if (inputs.feedback.cols != w.cols || (keeps(grid) && !adjusts_floats_)) {
      grid.quantize(w, inputs.importance, Fit::search, out);
      return {};
    }
    const auto limit = static_cast<float>(grid.limit());
    std::vector<float> goal;
    if (inputs.drift.cols == w.cols) {
      goal = corrected(w, inputs);
      for (float& x : goal) x = std::clamp(x, -limit, limit);
      w = Matrix(goal.data(), w.rows, w.cols);
    }
    const std::vector<float> of_columns = costs(inputs);
    CodedTile tile(grid, w.rows, w.cols);
    Feedback(w, inputs, of_columns, limit, tile).run();
    ErrorGradient gradient(w, inputs.moments, tile);
    for (int i = 0; i < sweeps_; ++i) {
      refit(limit, tile, gradient);
      descend(limit, tile, gradient);
    }
    tile.pack(out);
    return gradient.error(w, tile, inputs.damping);
  }

  // Who says how far moments are damped doesn't have them shrunk beside it.
  std::optional<FeedbackOptions> feedback() const override {
    FeedbackOptions asked{.upstream = upstream_, .order = order_, .shrink = shrink_};
    if (damp_) asked.damp = *damp_;
    if (damp_ && !shrink_) asked.shrink = 0;
    return asked;
  }

  // The weights as they should be and as they stand, turned, errors, what they owe, codes, and
  // parameters. A tile reads the layer's whole second moments: rows enough make that pay.
  TileNeeds tile() const override { return {.floats = 12, .rows = 192}; }

 private:
  bool upstream_ = true;
  bool order_ = false;
  std::optional<double> damp_;
  std::optional<double> shrink_;
  int sweeps_ = 3;               // over units and columns when all are coded
  bool adjusts_floats_ = false;  // whether what stays in a float type makes up for layers before
};

}  // namespace

std::unique_ptr<Coder> method_gptq() { return std::make_unique<Gptq>(); }

}  // namespace zp
