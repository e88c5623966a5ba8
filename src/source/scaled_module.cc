#include "source/scaled_module.h"

#include "base/checked.h"
#include "base/error.h"
#include "source/grid_rows.h"
#include "tensor/dtype_name.h"

namespace zp {
namespace {

std::unique_ptr<RowReader> stored(const Tensor& tensor, std::int64_t rows, std::int64_t cols) {
  return stored_rows(tensor.stored, dtype_of_name(tensor.type)->dtype, rows, cols);
}

}  // namespace

Tensor scaled_weight(const Module& module, const Tensor& weight, const Tensor& scales,
                     const ScaleBlock& block) {
  const std::string place = module.place();
  if (weight.rows == nullptr || scales.rows == nullptr || weight.shape.size() != 2 ||
      weight.shape[0] < 1 || weight.shape[1] < 1) {
    throw Error(place, "no matrix of floats with its scales", "a matrix and floats beside it",
                described(weight) + " beside " + described(scales));
  }
  const std::int64_t rows = weight.shape[0];
  const std::int64_t cols = weight.shape[1];
  const ScaleBlock blocks = {ceil_div(rows, block[0]), ceil_div(cols, block[1])};
  const auto& shape = scales.shape;
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count = checked_mul(count, n, place);
  Tensor tensor = module.weight(weight.type + ":scaled", rows, cols);
  tensor.bytes = weight.bytes + scales.bytes;
  if (count == 1) {
    tensor.rows = scaled_rows(stored(weight, rows, cols), stored(scales, 1, 1), rows, cols);
  } else if (count == rows && (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1))) {
    tensor.rows = scaled_rows(stored(weight, rows, cols), stored(scales, rows, 1), 1, cols);
  } else if (shape.size() == 2 && shape[0] == blocks[0] && shape[1] == blocks[1]) {
    tensor.rows = scaled_rows(stored(weight, rows, cols), stored(scales, blocks[0], blocks[1]),
                              block[0], block[1]);
  } else {
    throw Error(place + ": \"" + scales.name + "\"", "doesn't fit its module",
                "one scale, " + std::to_string(rows) + ", or " + std::to_string(blocks[0]) + " x " +
                    std::to_string(blocks[1]),
                described(scales));
  }
  return tensor;
}

Tensor microscaled_weight(const Module& module, std::string_view grid, const Tensor& codes,
                          const Tensor& scales, const Tensor* all, ScaleUse use) {
  const std::string place = module.place();
  auto made = make_grid(grid);
  const std::int64_t bits = made->planes()[0].bits;
  if (codes.shape.size() != 2 || codes.shape[0] < 1 || codes.shape[1] < 1 ||
      dtype_of_name(codes.type)->bytes != 1) {
    throw Error(place + ": \"" + codes.name + "\"", "no matrix of codes",
                "bytes of " + std::to_string(8 / bits) + " each", described(codes));
  }
  const std::int64_t rows = codes.shape[0];
  const std::int64_t cols = checked_mul(codes.shape[1], 8 / bits, place);
  Tensor tensor = module.weight(std::string(grid) + (all != nullptr ? ":scaled" : ""), rows, cols);
  tensor.bytes = codes.bytes + scales.bytes;
  tensor.rows = grid_rows({codes.stored, scales.stored}, std::move(made), rows, cols);
  if (tensor.rows == nullptr) {
    throw Error(place, "scales don't fit the codes", std::string(grid),
                described(codes) + " beside " + described(scales));
  }
  if (all == nullptr) return tensor;
  if (all->type != info(DType::f32).name || std::ssize(all->stored) != info(DType::f32).bytes) {
    throw Error(place + ": \"" + all->name + "\"", "no scale of the tensor", "one fp32",
                described(*all));
  }
  tensor.bytes += all->bytes;
  tensor.rows = scaled_rows(std::move(tensor.rows), stored(*all, 1, 1), rows, cols, use);
  return tensor;
}

}  // namespace zp
