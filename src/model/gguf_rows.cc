#include "model/gguf_rows.h"

#include "model/rotary.h"

namespace zp {
namespace {

// Where a row of one form stands in the other.
using Place = std::int64_t (*)(std::int64_t row, std::int64_t head_dim);

std::int64_t interleaved(std::int64_t row, std::int64_t head_dim) {
  const std::int64_t in_head = row % head_dim;
  return row - in_head + in_head / 2 + (in_head % 2) * (head_dim / 2);
}

std::int64_t in_halves(std::int64_t row, std::int64_t head_dim) {
  const std::int64_t in_head = row % head_dim;
  const std::int64_t half = head_dim / 2;
  return row - in_head + 2 * (in_head % half) + in_head / half;
}

/// A bias's only row with its columns in another order.
class ReorderedBias final : public RowReader {
 public:
  ReorderedBias(const RowReader& of, std::int64_t head_dim, Place place)
      : RowReader(of.rows(), of.cols()), of_(of), head_dim_(head_dim), place_(place) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    std::vector<float> row(static_cast<std::size_t>(cols()));
    for (std::int64_t r = 0; r < count; ++r) {
      of_.read(begin + r, 1, row.data());
      for (std::int64_t j = 0; j < cols(); ++j) {
        out[r * cols() + j] = row[static_cast<std::size_t>(place_(j, head_dim_))];
      }
    }
  }

 private:
  const RowReader& of_;
  std::int64_t head_dim_;
  Place place_;
};

/// Every value with `added` to it, in FP32.
class ShiftedRows final : public RowReader {
 public:
  ShiftedRows(const RowReader& of, float added)
      : RowReader(of.rows(), of.cols()), of_(of), added_(added) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    for (std::int64_t i = 0; i < count * cols(); ++i) out[i] += added_;
  }

 private:
  const RowReader& of_;
  float added_;
};

std::unique_ptr<RowReader> reformed(const RowReader& rows, const TensorUse& use,
                                    const Decoder& decoder, Place place, float added) {
  if (decoder.norm_plus_one && !use.is_matrix()) return std::make_unique<ShiftedRows>(rows, added);
  if (use.gguf_order == RowOrder::same) return nullptr;
  const std::int64_t head_dim = decoder.head_dim;
  if (use.part == Part::bias) return std::make_unique<ReorderedBias>(rows, head_dim, place);
  return permuted_rows(rows, [head_dim, place](std::int64_t row) { return place(row, head_dim); });
}

}  // namespace

std::unique_ptr<RowReader> gguf_rows(const Weight& weight, const Decoder& decoder) {
  return reformed(*weight.rows, weight.use, decoder, interleaved, 1.0f);
}

std::unique_ptr<RowReader> rows_from_gguf(const RowReader& stored, const TensorUse& use,
                                          const Decoder& decoder) {
  return reformed(stored, use, decoder, in_halves, -1.0f);
}

bool is_rope_tensor(std::string_view name) {
  return name == kRopeFreqs || name == kRopeLong || name == kRopeShort;
}

std::vector<RopeTensor> gguf_rope_tensors(const Rope& rope) {
  if (rope.scaling == RopeScaling::longrope) {
    return {{std::string(kRopeLong), rope.long_factor},
            {std::string(kRopeShort), rope.short_factor}};
  }
  if (rope.scaling == RopeScaling::stated) return {{std::string(kRopeFreqs), rope.divisors}};
  if (rope.scaling != RopeScaling::llama3) return {};
  RopeTensor freqs{std::string(kRopeFreqs), {}};
  for (std::int64_t i = 0; i < rope.dims / 2; ++i)
    freqs.divisors.push_back(llama3_divisor(rope, i));
  return {std::move(freqs)};
}

}  // namespace zp
