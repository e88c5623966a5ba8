#include "tensor/merged_rows.h"

#include <utility>
#include <vector>

#include "kernel/matmul.h"

namespace zp {
namespace {

class MergedRows final : public RowReader {
 public:
  MergedRows(std::shared_ptr<const RowReader> w, std::shared_ptr<const RowReader> a,
             std::shared_ptr<const RowReader> b, float scale)
      : RowReader(w->rows(), w->cols()),
        w_(std::move(w)),
        a_(std::move(a)),
        b_(std::move(b)),
        scale_(scale) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    w_->read(begin, count, out);  // first: it may be merged, too, and have the same buffers
    // Kept, for where a single token goes through the matrix few rows are read at a time.
    thread_local std::vector<float> a;
    thread_local std::vector<float> b;
    thread_local std::vector<float> sums;
    const std::int64_t rank = a_->rows();
    a.resize(size(rank * cols()));
    b.resize(size(count * rank));
    sums.resize(size(count * cols()));
    a_->read(0, rank, a.data());
    b_->read(begin, count, b.data());
    weighted_rows({b.data(), count, rank}, {a.data(), rank, cols()}, {sums.data(), count, cols()});
    for (std::size_t i = 0; i < sums.size(); ++i) out[i] += scale_ * sums[i];
  }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

  std::shared_ptr<const RowReader> w_;
  std::shared_ptr<const RowReader> a_;
  std::shared_ptr<const RowReader> b_;
  float scale_;
};

}  // namespace

std::unique_ptr<RowReader> merged_rows(std::shared_ptr<const RowReader> w,
                                       std::shared_ptr<const RowReader> a,
                                       std::shared_ptr<const RowReader> b, float scale) {
  return std::make_unique<MergedRows>(std::move(w), std::move(a), std::move(b), scale);
}

}  // namespace zp
