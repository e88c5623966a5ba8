// GPTQ (Frantar et al., 2022): columns are coded in order, and the error of each is made up for by
// the columns not coded yet, so that tr((W - Q) H (W - Q)^T) stays small, H the inputs' second
// moments.
//
// With U^T U = H^-1 (feedback.h), e_j = (w_j - q_j) / U_jj and w_k -= e_j U_jk for every k > j,
// where w_j is what the errors before left of the weight. Columns go in chunks: what all chunks
// before owe to one is a product of matrices, inside a chunk errors are spread one by one. Blocks
// and units are fitted to the weights as they stand when their first column comes; the columns of a
// step are chosen together, to the weights before any of them.
//
// Rows don't know each other, so tiles of rows have the same bits however they are cut.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel/matmul.h"
#include "method/method.h"

namespace zp {
namespace {

constexpr std::int64_t kChunk = 128;
constexpr std::int64_t kLongest = 256;  // blocks and units up to here are never cut by a chunk

class Tile {
 public:
  Tile(const Grid& grid, Matrix w, const InputStatistics& inputs)
      : grid_(grid),
        w_(w),
        inputs_(inputs),
        shape_(grid.shape(w.cols)),
        limit_(static_cast<float>(grid.limit())),
        params_bytes_(grid.params_bytes(w.cols)),
        blocks_((w.cols + shape_.block - 1) / shape_.block),
        now_(floats()),
        errors_(floats()),
        owed_(floats()),
        decoded_(static_cast<std::size_t>(w.rows * shape_.step)),
        codes_(static_cast<std::size_t>(w.rows * w.cols)),
        open_(static_cast<std::size_t>(w.rows * params_bytes_)),
        params_(static_cast<std::size_t>(w.rows * blocks_ * params_bytes_)) {}

  void code() {
    for (std::int64_t begin = 0; begin < w_.cols;) {
      const std::int64_t end = chunk_end(begin);
      make_up(begin, std::max({end, block_end(begin), unit_end(begin)}));
      copy_factor(begin, end);
      for (std::int64_t j = begin; j < end;) j = step(j, end);
      begin = end;
    }
  }

  void pack(PlanesOut out) const {
    std::vector<std::byte*> to(out.begin(), out.end());
    for (std::int64_t r = 0; r < w_.rows; ++r) {
      grid_.pack(params_.data() + r * blocks_ * params_bytes_,
                 std::span(codes_).subspan(static_cast<std::size_t>(r * w_.cols),
                                           static_cast<std::size_t>(w_.cols)),
                 to);
      for (std::size_t p = 0; p < to.size(); ++p) to[p] += grid_.row_bytes(p, w_.cols);
    }
  }

 private:
  std::vector<float> floats() const {
    return std::vector<float>(static_cast<std::size_t>(w_.rows * w_.cols));
  }
  View2D<float> now() { return {now_.data(), w_.rows, w_.cols}; }
  Floats importance(std::int64_t begin, std::int64_t end) const {
    if (inputs_.importance.empty()) return {};
    return inputs_.importance.subspan(static_cast<std::size_t>(begin),
                                      static_cast<std::size_t>(end - begin));
  }

  std::int64_t block_end(std::int64_t j) const {
    return std::min(w_.cols, (j / shape_.block + 1) * shape_.block);
  }
  std::int64_t unit_end(std::int64_t j) const {
    const std::int64_t block = j / shape_.block * shape_.block;
    return std::min(block_end(j), block + ((j - block) / shape_.unit + 1) * shape_.unit);
  }

  // Chunks are of whole blocks; of long blocks of whole units; of long units of whole steps.
  std::int64_t chunk_end(std::int64_t begin) const {
    const auto of = [&](std::int64_t size, std::int64_t limit) {
      return std::min(limit, begin + std::max(kChunk / size, std::int64_t{1}) * size);
    };
    if (shape_.block <= kLongest) return of(shape_.block, w_.cols);
    if (shape_.unit <= kLongest) return of(shape_.unit, block_end(begin));
    return of(shape_.step, unit_end(begin));
  }

  // The weights of columns [begin, end) with what all errors before `begin` owe them.
  void make_up(std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    const View2D<float> owed(owed_.data(), w_.rows, count);
    if (begin > 0) {
      const Matrix factor(inputs_.feedback.row(begin).data(), count, begin,
                          inputs_.feedback.stride);
      matmul(Matrix(errors_.data(), w_.rows, begin, w_.cols), factor, owed);
    }
    for (std::int64_t r = 0; r < w_.rows; ++r) {
      const Floats from = w_.columns(begin, count).row(r);
      const std::span<float> to = now().columns(begin, count).row(r);
      std::ranges::copy(from, to.begin());
      if (begin == 0) continue;
      const Floats less = owed.row(r);
      for (std::size_t k = 0; k < to.size(); ++k) to[k] -= less[k];
    }
  }

  // The chunk's square of U, rows contiguous.
  void copy_factor(std::int64_t begin, std::int64_t end) {
    chunk_ = begin;
    width_ = end - begin;
    factor_.resize(static_cast<std::size_t>(width_ * width_));
    for (std::int64_t k = 0; k < width_; ++k) {
      const Floats column = inputs_.feedback.columns(begin, width_).row(begin + k);
      for (std::int64_t j = 0; j <= k; ++j)
        factor_[static_cast<std::size_t>(j * width_ + k)] = column[static_cast<std::size_t>(j)];
    }
  }

  // Codes the step at column j; the column behind it.
  std::int64_t step(std::int64_t j, std::int64_t chunk_end) {
    const std::int64_t in_block = j % shape_.block;
    if (in_block == 0) {
      const std::int64_t end = block_end(j);
      grid_.open_block(open_.data(), bounded(j, end), importance(j, end), Fit::search);
    }
    if (in_block % shape_.unit == 0) {
      const std::int64_t end = unit_end(j);
      grid_.open_unit(open_.data(), in_block / shape_.unit, bounded(j, end), importance(j, end),
                      Fit::search);
    }
    const std::int64_t end = std::min(unit_end(j), j + shape_.step);
    const View2D<float> decoded(decoded_.data(), w_.rows, end - j);
    const View2D<Code> codes(codes_.data(), w_.rows, w_.cols);
    grid_.encode(open_.data(), in_block, bounded(j, end), codes.columns(j, end - j), decoded);
    for (std::int64_t r = 0; r < w_.rows; ++r) spread(r, j, decoded.row(r), chunk_end);
    if (end == block_end(j)) keep_params(j / shape_.block);
    return end;
  }

  // What errors have made of the weights may lie beyond what the grid can hold.
  Matrix bounded(std::int64_t begin, std::int64_t end) {
    const View2D<float> part = now().columns(begin, end - begin);
    for (std::int64_t r = 0; r < part.rows; ++r) {
      for (float& w : part.row(r)) w = std::clamp(w, -limit_, limit_);
    }
    return part;
  }

  void spread(std::int64_t r, std::int64_t j, Floats decoded, std::int64_t end) {
    float* const row = now_.data() + r * w_.cols;
    for (const float value : decoded) {
      const float* const u = factor_.data() + (j - chunk_) * (width_ + 1);  // U_jj and behind it
      const float error = (row[j] - value) / u[0];
      errors_[static_cast<std::size_t>(r * w_.cols + j)] = error;
      for (std::int64_t k = j + 1; k < end; ++k) row[k] -= error * u[k - j];
      ++j;
    }
  }

  void keep_params(std::int64_t block) {
    const auto bytes = static_cast<std::size_t>(params_bytes_);
    for (std::int64_t r = 0; r < w_.rows; ++r) {
      std::memcpy(params_.data() + (r * blocks_ + block) * params_bytes_,
                  open_.data() + r * params_bytes_, bytes);
    }
  }

  const Grid& grid_;
  Matrix w_;
  const InputStatistics& inputs_;
  GridShape shape_;
  float limit_;
  std::int64_t params_bytes_;
  std::int64_t blocks_;
  std::vector<float> now_;     // weights with what errors so far owe them
  std::vector<float> errors_;  // e_j
  std::vector<float> owed_;
  std::vector<float> decoded_;
  std::vector<Code> codes_;
  std::vector<std::byte> open_;    // of each row the block under way
  std::vector<std::byte> params_;  // [row][block]
  std::vector<float> factor_;
  std::int64_t chunk_ = 0;
  std::int64_t width_ = 0;
};

void code(const Grid& grid, Matrix w, const InputStatistics& inputs, PlanesOut out) {
  if (inputs.feedback.cols != w.cols) return grid.quantize(w, inputs.importance, Fit::search, out);
  Tile tile(grid, w, inputs);
  tile.code();
  tile.pack(out);
}

}  // namespace

extern const Method method_gptq;
const Method method_gptq{"gptq",
                         "each column's error is made up for by those behind it (--calibrate)",
                         Fit::search, true, code};

}  // namespace zp
