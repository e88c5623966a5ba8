// A grid: which values a group of weights can take, and which bytes hold them. Arrays are encoded and
// decoded here without any file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/export.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// One stream of stored elements. A row of weights takes a whole number of bytes, rows follow each
/// other without gaps; a row's elements lie one behind the other, the first in the lowest bits.
struct Plane {
  std::string name;          ///< "codes", "scales", "zeros", "mins", "blocks" or "values"
  std::string type;          ///< of an element: "uint4", "fp16", "q8_0"
  std::int64_t bits = 0;     ///< of an element
  std::int64_t weights = 0;  ///< of a row that share an element; 0: all of them
};

/// Borrowed FP32 weights, row after row.
struct Weights {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;  ///< elements from one row to the next; 0: columns
};

struct EncodeOptions {
  std::string method = "mse";  ///< nearest, mse or hqq, with options: "nearest:observer=minmax"
  std::span<const float> importance;  ///< of each column; empty: 1
};

/// Bytes of rows x columns weights: planes[i] has Grid::row_bytes(i) bytes for each row.
struct Encoded {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::vector<std::byte>> planes;
};

/// Immutable; may be used from several threads, and copies share what they have.
class ZEROPOINT_API Grid {
 public:
  /// As `to` and `set` have it: "int4:g64:min", "q4_k", "nf4:g64", "mxfp4". Throws UsageError.
  explicit Grid(std::string_view spec);
  Grid(const Grid&);
  Grid(Grid&&) noexcept;
  Grid& operator=(const Grid&);
  Grid& operator=(Grid&&) noexcept;
  ~Grid();

  /// In full: "int4:g64:min:s32".
  const std::string& spec() const;
  /// floating, affine, codebook, microscaled or blocks.
  std::string family() const;
  std::vector<Plane> planes() const;
  /// The largest magnitude that it can hold.
  double limit() const;
  /// Empty where rows of so many weights can be held; else why not: "172 columns are no multiple of 32".
  std::string why_not(std::int64_t columns) const;

  // REQUIRES of those below: why_not(columns) is empty; else they throw Error.

  std::int64_t row_bytes(std::size_t plane, std::int64_t columns) const;
  double bits_per_weight(std::int64_t rows, std::int64_t columns) const;

  /// Throws Error, with the place, for a weight that is NaN, infinite or beyond limit(); UsageError for
  /// options that can't be; Cancelled.
  Encoded encode(const Weights& weights, const EncodeOptions& options = {},
                 const Work& work = {}) const;
  /// out: rows x columns, without gaps. Throws Error where a plane or `out` has another size.
  void decode(std::span<const std::span<const std::byte>> planes, std::int64_t rows,
              std::int64_t columns, std::span<float> out, const Work& work = {}) const;
  void decode(const Encoded& encoded, std::span<float> out, const Work& work = {}) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// A spec of every family there is, several of some.
ZEROPOINT_API std::vector<std::string> example_grids();

}  // namespace zeropoint
