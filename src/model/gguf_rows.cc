#include "model/gguf_rows.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernel/elementary.h"
#include "model/rotary.h"

namespace zp {
namespace {

/// Where what stands at an index of one form stands in the other; empty: at the same.
using Source = std::function<std::int64_t(std::int64_t)>;

enum class Way { to_gguf, from_gguf };

Source interleaved(std::int64_t head_dim) {
  return [head_dim](std::int64_t row) {
    const std::int64_t in_head = row % head_dim;
    return row - in_head + in_head / 2 + (in_head % 2) * (head_dim / 2);
  };
}

Source in_halves(std::int64_t head_dim) {
  return [head_dim](std::int64_t row) {
    const std::int64_t in_head = row % head_dim;
    const std::int64_t half = head_dim / 2;
    return row - in_head + 2 * (in_head % half) + in_head / half;
  };
}

/// Heads of `width` from `begin` on: `outer` times `inner` of them to `inner` times `outer`.
Source turned(std::int64_t begin, std::int64_t width, std::int64_t outer, std::int64_t inner) {
  return [=](std::int64_t i) {
    if (i < begin) return i;
    const std::int64_t head = (i - begin) / width;
    return begin + (head % outer * inner + head / outer) * width + (i - begin) % width;
  };
}

Source source_of(const TensorUse& use, const Decoder& d, Way way) {
  const DeltaHeads& heads = d.delta;
  const auto tiles = [&](std::int64_t begin, std::int64_t width) {
    if (heads.keys <= 1 || heads.values == heads.keys) return Source();
    const std::int64_t shared = heads.values / heads.keys;
    return way == Way::to_gguf ? turned(begin, width, heads.keys, shared)
                               : turned(begin, width, shared, heads.keys);
  };
  switch (use.gguf_order) {
    case RowOrder::same:
      break;
    case RowOrder::interleave_query:
    case RowOrder::interleave_key: {
      const std::int64_t dim = d.head_dim_of(use.place.layer);
      return way == Way::to_gguf ? interleaved(dim) : in_halves(dim);
    }
    case RowOrder::tile_values:
    case RowOrder::tile_value_columns:
      return tiles(0, heads.value_dim);
    case RowOrder::tile_values_behind_keys:
      return tiles(2 * heads.key_columns(), heads.value_dim);
    case RowOrder::tile_value_heads:
      return tiles(0, 1);
  }
  return {};
}

/// What becomes of each value; nullptr: it stays.
using Change = float (*)(float);

float one_more(float x) { return x + 1.0f; }
float one_less(float x) { return x - 1.0f; }

float minus_exp(float x) {
  constexpr double kMost = 700;
  if (std::isnan(x)) return x;
  return static_cast<float>(-portable_exp(std::clamp(static_cast<double>(x), -kMost, kMost)));
}
float log_minus(float x) {
  if (!(x < 0) || std::isinf(x)) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(portable_log(-static_cast<double>(x)));
}

Change change_of(const TensorUse& use, const Decoder& decoder, Way way) {
  if (decoder.norm_plus_one && is_norm(use.place.role))
    return way == Way::to_gguf ? one_more : one_less;
  if (use.place.role == Role::delta_rate || use.place.role == Role::space_rate)
    return way == Way::to_gguf ? minus_exp : log_minus;
  return nullptr;
}

/// The same rows with their columns in another order, and other values.
class ReformedRows final : public RowReader {
 public:
  ReformedRows(const RowReader& of, Source columns, Change change)
      : RowReader(of.rows(), of.cols()), of_(of), columns_(std::move(columns)), change_(change) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    of_.read(begin, count, out);
    const View2D<float> rows(out, count, cols());
    std::vector<float> row(static_cast<std::size_t>(cols()));
    for (std::int64_t r = 0; columns_ && r < count; ++r) {
      std::ranges::copy(rows.row(r), row.begin());
      for (std::int64_t j = 0; j < cols(); ++j)
        rows.row(r)[static_cast<std::size_t>(j)] = row[static_cast<std::size_t>(columns_(j))];
    }
    if (change_ != nullptr) std::transform(out, out + count * cols(), out, change_);
  }

 private:
  const RowReader& of_;
  Source columns_;
  Change change_;
};

/// Whether the order is one of columns: of a matrix's, or of a row that stands alone.
bool orders_columns(const TensorUse& use) {
  const bool rows = use.is_matrix() || use.is_convolution();
  return !rows || use.gguf_order == RowOrder::tile_value_columns;
}

std::unique_ptr<RowReader> reformed(const RowReader& rows, const TensorUse& use,
                                    const Decoder& decoder, Way way) {
  Source source = source_of(use, decoder, way);
  const Change change = change_of(use, decoder, way);
  if (source && !orders_columns(use)) return permuted_rows(rows, std::move(source));
  if (!source && change == nullptr) return nullptr;
  return std::make_unique<ReformedRows>(rows, std::move(source), change);
}

}  // namespace

std::unique_ptr<RowReader> gguf_rows(const Weight& weight, const Decoder& decoder) {
  return reformed(*weight.rows, weight.use, decoder, Way::to_gguf);
}

std::unique_ptr<RowReader> rows_from_gguf(const RowReader& stored, const TensorUse& use,
                                          const Decoder& decoder) {
  return reformed(stored, use, decoder, Way::from_gguf);
}

std::vector<std::int64_t> gguf_columns(const TensorUse& use, const Decoder& decoder) {
  std::vector<std::int64_t> columns;
  const Source source = source_of(use, decoder, Way::to_gguf);
  if (!use.is_matrix() || !orders_columns(use) || !source) return columns;
  for (std::int64_t j = 0; j < use.cols; ++j) columns.push_back(source(j));
  return columns;
}

std::unique_ptr<RowReader> norm_and_one(const Weight& weight, const Decoder& decoder) {
  if (!decoder.norm_plus_one || !is_norm(weight.use.place.role)) return nullptr;
  return std::make_unique<ReformedRows>(*weight.rows, Source(), one_more);
}

std::unique_ptr<RowReader> norm_without_one(const RowReader& stored, const TensorUse& use,
                                            const Decoder& decoder) {
  if (!decoder.norm_plus_one || !is_norm(use.place.role)) return nullptr;
  return std::make_unique<ReformedRows>(stored, Source(), one_less);
}

bool is_rope_tensor(std::string_view name) {
  return name == kRopeFreqs || name == kRopeLong || name == kRopeShort;
}

std::vector<RopeTensor> gguf_rope_tensors(const Rope& rope, bool always) {
  if (rope.scaling == RopeScaling::longrope) {
    return {{std::string(kRopeLong), rope.long_factor},
            {std::string(kRopeShort), rope.short_factor}};
  }
  if (rope.scaling == RopeScaling::stated) return {{std::string(kRopeFreqs), rope.divisors}};
  RopeTensor freqs{std::string(kRopeFreqs), {}};
  if (rope.still > 0 || (always && rope.scaling == RopeScaling::none)) {
    freqs.divisors.assign(static_cast<std::size_t>(rope.dims / 2), 1.0f);
    std::fill(freqs.divisors.end() - rope.still, freqs.divisors.end(), kStill);
    return {std::move(freqs)};
  }
  if (rope.scaling != RopeScaling::llama3) return {};
  for (std::int64_t i = 0; i < rope.dims / 2; ++i)
    freqs.divisors.push_back(llama3_divisor(rope, i));
  return {std::move(freqs)};
}

}  // namespace zp
