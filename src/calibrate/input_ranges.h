// The ranges of a linear layer's inputs: of each column, of each window of the text, and how often
// each value came. Smallest, largest and counts are the same in any order: the same bits for any
// number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "observer/histogram.h"

namespace zp {

class InputRanges {
 public:
  /// window: rows that belong together, from the first row on.
  InputRanges(std::int64_t columns, std::int64_t window);

  /// Rows behind all that came before. Throws Error for a value that is not finite; `where` says
  /// whose inputs they are.
  void add(Matrix x, const std::string& where, const Team& team);

  /// Of each column.
  Floats lowest() const { return lowest_; }
  Floats highest() const { return highest_; }
  /// Of each window, in order.
  std::span<const Range> windows() const { return windows_; }
  Histogram histogram() const;

  /// What it takes of memory at most.
  static std::int64_t bytes(std::int64_t columns, int threads);

 private:
  /// What one thread saw.
  struct Part {
    explicit Part(std::int64_t columns);
    void add(Floats row);

    std::vector<float> lowest;
    std::vector<float> highest;
    HistogramCounter counter;
  };

  std::int64_t columns_;
  std::int64_t window_;
  std::int64_t rows_ = 0;
  std::vector<Part> parts_;
  std::vector<float> lowest_;
  std::vector<float> highest_;
  std::vector<Range> windows_;
};

}  // namespace zp
