#include "pipeline/coded_rows.h"

#include <algorithm>

#include "model/gguf_rows.h"

namespace zp {

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
  if (job.form == RowForm::gguf) own_form_ = rows_from_gguf(*stored_, job.weight->use, decoder);
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

}  // namespace zp
