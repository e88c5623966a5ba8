#include "container/gguf_rows.h"

#include "model/rotary.h"

namespace zp {
namespace {

std::int64_t interleaved(std::int64_t row, std::int64_t head_dim) {
  const std::int64_t in_head = row % head_dim;
  return row - in_head + in_head / 2 + (in_head % 2) * (head_dim / 2);
}

/// A bias's only row with its columns in that order.
class InterleavedBias : public RowReader {
 public:
  InterleavedBias(const RowReader& of, std::int64_t head_dim)
      : RowReader(of.rows(), of.cols()), of_(of), head_dim_(head_dim) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    std::vector<float> row(static_cast<std::size_t>(cols()));
    for (std::int64_t r = 0; r < count; ++r) {
      of_.read(begin + r, 1, row.data());
      for (std::int64_t j = 0; j < cols(); ++j) {
        out[r * cols() + j] = row[static_cast<std::size_t>(interleaved(j, head_dim_))];
      }
    }
  }

 private:
  const RowReader& of_;
  std::int64_t head_dim_;
};

}  // namespace

std::unique_ptr<RowReader> gguf_rows(const Weight& weight, const Decoder& decoder) {
  if (weight.use.gguf_order == RowOrder::same) return nullptr;
  const std::int64_t head_dim = decoder.head_dim;
  if (weight.use.part == Part::bias)
    return std::make_unique<InterleavedBias>(*weight.rows, head_dim);
  return permuted_rows(*weight.rows,
                       [head_dim](std::int64_t row) { return interleaved(row, head_dim); });
}

std::vector<RopeTensor> gguf_rope_tensors(const Rope& rope) {
  if (rope.scaling == RopeScaling::longrope) {
    return {{"rope_factors_long.weight", rope.long_factor},
            {"rope_factors_short.weight", rope.short_factor}};
  }
  if (rope.scaling != RopeScaling::llama3) return {};
  RopeTensor freqs{"rope_freqs.weight", {}};
  for (std::int64_t i = 0; i < rope.dims / 2; ++i)
    freqs.divisors.push_back(llama3_divisor(rope, i));
  return {std::move(freqs)};
}

}  // namespace zp
