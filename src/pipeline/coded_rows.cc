#include "pipeline/coded_rows.h"

#include <algorithm>

#include "base/checked.h"
#include "grid/plane_buffers.h"
#include "model/gguf_rows.h"
#include "pipeline/check_weights.h"
#include "pipeline/plan.h"

namespace zp {
namespace {

double weighted_squares(Matrix w, Matrix q, Floats h) {
  double sum = 0;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    for (std::size_t j = 0; j < w.row(r).size(); ++j) {
      const double e = static_cast<double>(w.row(r)[j]) - static_cast<double>(q.row(r)[j]);
      sum += (h.empty() ? 1.0 : static_cast<double>(h[j])) * e * e;
    }
  }
  return sum;
}

}  // namespace

class CodedRows::Stored final : public RowReader {
 public:
  explicit Stored(const TensorJob& job)
      : RowReader(job.rows->rows(), job.rows->cols()), grid_(job.grid) {
    for (std::size_t p = 0; p < grid_->planes().size(); ++p)
      planes_.emplace_back(static_cast<std::size_t>(rows() * grid_->row_bytes(p, cols())));
  }

  void set(std::int64_t begin, std::int64_t count,
           const std::vector<std::vector<std::byte>>& planes) {
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      const std::int64_t row = grid_->row_bytes(p, cols());
      std::copy_n(planes[p].begin(), count * row, planes_[p].begin() + begin * row);
    }
  }

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    std::vector<const std::byte*> in;
    for (std::size_t p = 0; p < planes_.size(); ++p)
      in.push_back(planes_[p].data() + begin * grid_->row_bytes(p, cols()));
    grid_->decode(in, View2D<float>(out, count, cols()));
  }

 private:
  std::shared_ptr<const Grid> grid_;
  std::vector<std::vector<std::byte>> planes_;
};

CodedRows::CodedRows(const TensorJob& job, const Decoder& decoder)
    : RowReader(job.weight->use.rows, job.weight->use.cols),
      stored_(std::make_unique<Stored>(job)) {
  if (job.form == RowForm::gguf || job.form == RowForm::gguf_columns)
    own_form_ = rows_from_gguf(*stored_, job.weight->use, decoder);
  if (job.form == RowForm::transposed) own_form_ = transposed_rows(*stored_);
}

CodedRows::~CodedRows() = default;

void CodedRows::set(std::int64_t begin, std::int64_t count,
                    const std::vector<std::vector<std::byte>>& planes) {
  stored_->set(begin, count, planes);
}

void CodedRows::read(std::int64_t begin, std::int64_t count, float* out) const {
  const RowReader& from = own_form_ ? *own_form_ : static_cast<const RowReader&>(*stored_);
  from.read(begin, count, out);
}

double code_rows(const Weight& weight, const std::shared_ptr<const Grid>& grid,
                 const InputStatistics& inputs, Floats weights, std::int64_t tiles,
                 const Team& team, CodedRows* rows) {
  const TensorJob job{weight.use.hf, &weight, weight.rows, grid, {}};
  const std::int64_t cols = weight.use.cols;
  const std::int64_t step = tile_rows(job, *default_coder());
  const std::int64_t there = ceil_div(weight.use.rows, step);
  tiles = std::min(tiles, there);
  std::vector<double> errors(static_cast<std::size_t>(tiles));
  team.run(tiles, [&](std::int64_t t) {
    const std::int64_t begin = t * there / tiles * step;
    const std::int64_t count = std::min(step, weight.use.rows - begin);
    std::vector<float> values(static_cast<std::size_t>(count * cols));
    weight.rows->read(begin, count, values.data());
    check_weights(job, begin, values);
    PlaneBuffers planes;
    const Matrix w(values.data(), count, cols);
    default_coder()->code(*grid, w, inputs, make_room(*grid, count, cols, planes));
    std::vector<float> decoded(values.size());
    decode(*grid, planes, {decoded.data(), count, cols});
    errors[static_cast<std::size_t>(t)] =
        weighted_squares(w, {decoded.data(), count, cols}, weights);
    if (rows != nullptr) rows->set(begin, count, planes);
  });
  double sum = 0;
  for (const double e : errors) sum += e;
  return sum;
}

}  // namespace zp
