// What is summed of the inputs that a stage of calibration finds: the float model's moments, or what
// each output's inputs drifted from the float model's.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "calibrate/drift.h"
#include "calibrate/input_ranges.h"
#include "model/network.h"

namespace zp {

class InputSums {
 public:
  /// Borrows network and team. full: whole moments, not their diagonals; window: tokens of one, 0
  /// where no ranges are asked for.
  InputSums(const Network& network, bool full, std::int64_t window, const Team& team)
      : network_(network), full_(full), window_(window), team_(team) {}

  /// Rows of the float model, which goes alone.
  void add(LinearInput input, Matrix x);
  /// An output's rows, beside what the float model's are.
  void add(LinearInput input, std::size_t output, Matrix came, Matrix expected);
  /// Takes in the rows that wait for others.
  void finish();
  void clear();

  std::map<LinearInput, Moments>& moments() { return moments_; }
  std::map<LinearInput, std::vector<Drift>>& drifts() { return drifts_; }  ///< of each output
  const InputRanges& ranges(LinearInput input) const { return ranges_.at(input); }

  /// Few rows of a group are one expert's, and a sum of FP64 takes as long for one row as for
  /// hundreds: so many wait for each other.
  static constexpr std::int64_t kTogether = 512;

 private:
  struct Waiting {
    std::vector<float> came;
    std::vector<float> expected;
    bool alone = true;  // the float model is: nothing is expected of its rows
  };
  std::int64_t width(LinearInput input) const { return network_.steps[input.value].width; }
  void add_where_enough(LinearInput input, std::size_t output, Waiting& waiting);
  void add_waiting(LinearInput input, std::size_t output, const Waiting& waiting);
  void add_moments(LinearInput input, Matrix x);
  Drift& drift(LinearInput input, std::size_t output);

  const Network& network_;
  bool full_;
  std::int64_t window_;
  const Team& team_;
  std::map<std::pair<LinearInput, std::size_t>, Waiting> waiting_;  // of each output
  std::map<LinearInput, Moments> moments_;
  std::map<LinearInput, InputRanges> ranges_;
  std::map<LinearInput, std::vector<Drift>> drifts_;
};

}  // namespace zp
