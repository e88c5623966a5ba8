#include "tune/learned_matrix.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 16;  // of a tile

std::size_t count(std::int64_t n) { return static_cast<std::size_t>(n); }

// With so many floats for each number that is trained.
std::int64_t bytes_of(const Grid& grid, std::int64_t rows, std::int64_t cols, Learned learned,
                      std::int64_t floats) {
  constexpr std::int64_t kFloat = sizeof(float);
  const std::int64_t blocks = rows * ceil_div(cols, grid.shape(cols).block);
  std::int64_t bytes = grid.bytes(rows, cols) + blocks * floats * kFloat;
  if (learned == Learned::all) bytes += (rows * cols * floats + blocks) * kFloat;
  return bytes;
}

}  // namespace

LearnedMatrix::LearnedMatrix(std::shared_ptr<const Grid> grid, const RowReader& start,
                             Learned learned)
    : grid_(std::move(grid)),
      start_(start),
      block_(grid_->shape(start.cols()).block),
      blocks_(ceil_div(start.cols(), block_)),
      factors_(count(start.rows() * blocks_)),
      factor_gradients_(factors_.size()),
      coded_(*this),
      master_(*this) {
  make_room(*grid_, start.rows(), start.cols(), planes_);
  if (learned == Learned::scales) return;
  weights_.resize(count(start.rows() * start.cols()));
  weight_gradients_.resize(weights_.size());
  steps_.resize(factors_.size());
  std::vector<float> row(count(start.cols()));
  for (std::int64_t r = 0; r < start.rows(); ++r) {
    start.read(r, 1, row.data());
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const Floats part = Floats(row).subspan(count(b * block_),
                                              count(std::min(block_, start.cols() - b * block_)));
      double squares = 0;
      for (const float w : part) squares += static_cast<double>(w) * w;
      steps_[count(r * blocks_ + b)] =
          static_cast<float>(std::sqrt(squares / static_cast<double>(part.size())));
    }
  }
}

void LearnedMatrix::code(const Team& team) {
  const std::int64_t rows = start_.rows();
  const std::int64_t cols = start_.cols();
  team.run(ceil_div(rows, kRows), [&](std::int64_t tile) {
    thread_local std::vector<float> master;
    const std::int64_t begin = tile * kRows;
    const std::int64_t some = std::min(kRows, rows - begin);
    master.resize(count(some * cols));
    master_.read(begin, some, master.data());
    std::vector<std::byte*> out;
    for (std::size_t p = 0; p < grid_->planes().size(); ++p)
      out.push_back(planes_[p].data() + begin * grid_->row_bytes(p, cols));
    grid_->quantize({master.data(), some, cols}, {}, Fit::search, out);
  });
}

void LearnedMatrix::add_gradient(std::int64_t begin, Matrix gradient) {
  std::vector<float> start(count(start_.cols()));
  for (std::int64_t r = 0; r < gradient.rows; ++r) {
    start_.read(begin + r, 1, start.data());
    const Floats g = gradient.row(r);
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const std::size_t of = count((begin + r) * blocks_ + b);
      const auto end = count(std::min((b + 1) * block_, start_.cols()));
      double sum = 0;
      for (auto c = count(b * block_); c < end; ++c) {
        sum += static_cast<double>(g[c]) * start[c];
        if (!weights_.empty())
          weight_gradients_[count((begin + r) * start_.cols()) + c] += steps_[of] * g[c];
      }
      factor_gradients_[of] += static_cast<float>(sum);
    }
  }
}

std::vector<LearnedMatrix::Group> LearnedMatrix::groups() {
  std::vector<Group> all = {{factors_, factor_gradients_}};
  if (!weights_.empty()) all.push_back({weights_, weight_gradients_});
  return all;
}

void LearnedMatrix::stop_learning() {
  factor_gradients_ = {};
  weight_gradients_ = {};
}

std::int64_t LearnedMatrix::bytes(const Grid& grid, std::int64_t rows, std::int64_t cols,
                                  Learned learned) {
  return bytes_of(grid, rows, cols, learned, 5);  // value, gradient, both moments, the best
}

std::int64_t LearnedMatrix::learned_bytes(const Grid& grid, std::int64_t rows, std::int64_t cols,
                                          Learned learned) {
  return bytes_of(grid, rows, cols, learned, 1);
}

std::vector<const std::byte*> LearnedMatrix::Coded::at(std::int64_t row) const {
  std::vector<const std::byte*> planes;
  for (std::size_t p = 0; p < of_.grid_->planes().size(); ++p)
    planes.push_back(of_.planes_[p].data() + row * of_.grid_->row_bytes(p, cols()));
  return planes;
}

void LearnedMatrix::Coded::read(std::int64_t begin, std::int64_t some, float* out) const {
  of_.grid_->decode(at(begin), {out, some, cols()});
}

void LearnedMatrix::Coded::products(std::int64_t begin, Floats x, std::span<float> out) const {
  of_.grid_->products(at(begin), x, out);
}

void LearnedMatrix::Master::read(std::int64_t begin, std::int64_t some, float* out) const {
  of_.start_.read(begin, some, out);
  for (std::int64_t r = 0; r < some; ++r) {
    for (std::int64_t c = 0; c < cols(); ++c, ++out) {
      const std::size_t block = count((begin + r) * of_.blocks_ + c / of_.block_);
      *out *= 1 + of_.factors_[block];
      if (!of_.weights_.empty())
        *out += of_.steps_[block] * of_.weights_[count((begin + r) * cols() + c)];
    }
  }
}

}  // namespace zp
