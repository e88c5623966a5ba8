#include "calibrate/input_samples.h"

#include "base/checked.h"

namespace zp {
namespace {

void append(Matrix x, std::vector<float>& to) {
  for (std::int64_t r = 0; r < x.rows; r += InputSamples::kEvery)
    to.insert(to.end(), x.row(r).begin(), x.row(r).end());
}

}  // namespace

void InputSamples::add(Matrix expected, Matrix came, bool held_out) {
  columns_ = expected.cols;
  Rows& rows = held_out ? held_out_ : seen_;
  append(expected, rows.expected);
  if (came.data != expected.data) append(came, rows.came);
}

SampledInputs InputSamples::view() const {
  const auto of = [this](const Rows& rows) {
    const auto matrix = [this](const std::vector<float>& x) {
      return Matrix(x.data(), columns_ > 0 ? std::ssize(x) / columns_ : 0, columns_);
    };
    return InputSample{matrix(rows.expected),
                       matrix(rows.came.empty() ? rows.expected : rows.came)};
  };
  return {of(seen_), of(held_out_)};
}

std::int64_t InputSamples::bytes(std::int64_t columns, std::int64_t tokens) {
  const std::int64_t rows = ceil_div(tokens, kEvery);
  return 4 * rows * columns * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace zp
