#include "calibrate/input_sums.h"

#include <string>

namespace zp {
namespace {

std::string name_of(Place input) {
  std::string name(role_name(input.role));
  if (input.expert >= 0) name += " of expert " + std::to_string(input.expert);
  return input.layer < 0 ? name : name + " of layer " + std::to_string(input.layer);
}

void append(Matrix rows, std::vector<float>& to) {
  for (std::int64_t r = 0; r < rows.rows; ++r)
    to.insert(to.end(), rows.row(r).begin(), rows.row(r).end());
}

}  // namespace

void InputSums::add(LinearInput input, Matrix x) {
  if (input.expert < 0) return add_moments(input, x);
  Waiting& waiting = waiting_[{input, 0}];
  append(x, waiting.came);
  add_where_enough(input, 0, waiting);
}

void InputSums::add(LinearInput input, std::size_t output, Matrix came, Matrix expected) {
  if (input.expert < 0) return drift(input, output).add(came, expected, team_);
  Waiting& waiting = waiting_[{input, output}];
  waiting.alone = false;
  append(came, waiting.came);
  append(expected, waiting.expected);
  add_where_enough(input, output, waiting);
}

void InputSums::add_where_enough(LinearInput input, std::size_t output, Waiting& waiting) {
  if (std::ssize(waiting.came) < kTogether * width(input)) return;
  add_waiting(input, output, waiting);
  waiting.came.clear();
  waiting.expected.clear();
}

void InputSums::add_waiting(LinearInput input, std::size_t output, const Waiting& waiting) {
  const std::int64_t cols = width(input);
  const std::int64_t rows = std::ssize(waiting.came) / cols;
  const Matrix came(waiting.came.data(), rows, cols);
  if (waiting.alone) return add_moments(input, came);
  drift(input, output).add(came, {waiting.expected.data(), rows, cols}, team_);
}

void InputSums::add_moments(LinearInput input, Matrix x) {
  moments_.try_emplace(input, x.cols, full_).first->second.add(x, team_);
  if (window_ == 0 || input.expert >= 0) return;
  ranges_.try_emplace(input, x.cols, window_)
      .first->second.add(x, "calibrate: what " + name_of(input_name(network_, input)) + " reads",
                         team_);
}

Drift& InputSums::drift(LinearInput input, std::size_t output) {
  std::vector<Drift>& drifts = drifts_[input];
  while (drifts.size() <= output) drifts.emplace_back(width(input));
  return drifts[output];
}

void InputSums::finish() {
  for (auto& [of, waiting] : waiting_) add_waiting(of.first, of.second, waiting);
  waiting_.clear();
}

void InputSums::clear() {
  moments_.clear();
  ranges_.clear();
  drifts_.clear();
}

}  // namespace zp
