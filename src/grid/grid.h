// A grid: which values a group of weights can take, and which bytes hold them.
//
// Parameters have two levels. A block is one packed record (or one group); a unit shares one inner
// scale; a step is the codes chosen together: step <= unit <= block. Every method drives every grid
// through four verbs:
//
//   open_block(params, w, h)      fit the outer parameters from the whole block
//   open_unit (params, u, w, h)   fit the inner scale of unit u
//   encode    (params, j, w)      codes of one step at column j of the block, and what they decode
//   to pack / decode                 params and codes <-> bytes
//
// Two rules make that work. encode is a pure function of (params, position, weights), so columns
// may come in any order. What encode calls decoded is exactly what decode gives back from the
// packed bytes (scales already rounded to their stored type), so error feedback corrects the real
// error.
//
// Stored bytes are one or more planes (codes, scales, zeros ...); each row takes a whole number of
// bytes in each plane, and rows follow each other without gaps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"
#include "tensor/dtype.h"

namespace zp {

using Code = std::int32_t;

/// How the parameters are fitted.
enum class Fit {
  range,   ///< from the smallest and largest weight
  search,  ///< for the least (importance-weighted) squared error
};

/// Storage families: what a container must know of a grid.
enum class Family { floating, affine, codebook, microscaled, blocks };
std::string_view family_name(Family family);

/// Empty when `of` divides `cols`; else what a why_not says, e.g. "172 columns are no multiple of
/// 32".
std::string why_no_multiple(std::int64_t cols, std::int64_t of);

enum class Offset { sym, restricted, zero, min };
enum class ScaleType { s32, s16, sbf16, pow2 };
enum class Grouping { group, channel, tensor };

/// r = s (q - z) or r = s q + m; see CLI GRID.
struct AffineForm {
  int bits = 4;
  bool is_signed = true;
  Grouping grouping = Grouping::group;
  std::int64_t group = 32;  ///< weights that share a scale, when grouping is group
  Offset offset = Offset::sym;
  ScaleType scale = ScaleType::s32;
};

struct GridShape {
  std::int64_t block;
  std::int64_t unit;
  std::int64_t step;
};

/// One stored stream.
struct Plane {
  std::string name;       ///< "codes", "scales", "zeros", "mins", "blocks" or "values"
  std::string type_name;  ///< element type as people read it: "uint4", "fp16", "q8_0"
};

/// Planes of a run of rows: planes[i] points at the first byte of plane i.
using PlanesIn = std::span<const std::byte* const>;
using PlanesOut = std::span<std::byte* const>;

/// Immutable; const use from many threads is safe. Row functions are noexcept: shapes have been
/// checked by why_not before.
class Grid {
 public:
  virtual ~Grid() = default;

  const std::string& spec() const {
    return spec_;
  }  ///< canonical and full, e.g. "int4:g32:zero:s16"
  Family family() const { return family_; }
  std::span<const Plane> planes() const { return planes_; }
  /// Set for Family::affine.
  const AffineForm* affine() const { return affine_ ? &*affine_ : nullptr; }
  /// Largest magnitude the grid can represent; larger weights must be refused (FP16: 65504).
  double limit() const { return limit_; }
  /// One parameter set for the whole tensor: callers pass the matrix as a single row.
  bool whole_tensor() const { return affine_ && affine_->grouping == Grouping::tensor; }

  /// Empty when rows of `cols` weights can be held; else why not, e.g. "172 columns are no multiple
  /// of 32".
  virtual std::string why_not(std::int64_t cols) const = 0;
  virtual GridShape shape(std::int64_t cols) const = 0;
  virtual std::int64_t row_bytes(std::size_t plane, std::int64_t cols) const = 0;
  /// All planes of a rows x cols tensor.
  std::int64_t bytes(std::int64_t rows, std::int64_t cols) const;
  double bits_per_weight(std::int64_t rows, std::int64_t cols) const;

  /// Bytes of one block's parameters (trivially copyable, alignment of double).
  virtual std::int64_t params_bytes(std::int64_t cols) const = 0;
  // The walk's verbs over a tile of rows. `params`: tile rows x params_bytes, one block's each.
  // w: rows x (columns of this block | unit | step); the last of a row may be shorter.
  // h: importance of these columns, or empty (all one).
  virtual void open_block(std::byte* params, Matrix w, Floats h, Fit fit) const noexcept = 0;
  virtual void open_unit(std::byte* params, std::int64_t u, Matrix w, Floats h,
                         Fit fit) const noexcept = 0;
  /// j: column inside the block where w begins; w: rows x one or more whole steps of one unit.
  /// codes and decoded: as w.
  virtual void encode(const std::byte* params, std::int64_t j, Matrix w, View2D<Code> codes,
                      View2D<float> decoded) const noexcept = 0;
  /// One row. params: its blocks' parameters one after another. codes: cols.
  virtual void pack(const std::byte* params, std::span<const Code> codes,
                    PlanesOut out) const noexcept = 0;
  /// rows x out.cols values from the planes.
  virtual void decode(PlanesIn in, View2D<float> out) const noexcept = 0;
  /// out[r] = dot(x, decoded row r) of kernel/matmul.h, x.size() columns: to the bit, but no row of
  /// floats need come into being.
  virtual void products(PlanesIn in, Floats x, std::span<float> out) const = 0;

  /// Nearest code for every weight, row by row: the bytes of the walk without feedback, in one pass
  /// and with vector code where the grid has it.
  virtual void quantize(Matrix w, Floats h, Fit fit, PlanesOut out) const = 0;

 protected:
  Grid(std::string spec, Family family, std::vector<Plane> planes, double limit,
       std::optional<AffineForm> affine = {});

 private:
  std::string spec_;
  Family family_;
  std::vector<Plane> planes_;
  double limit_;
  std::optional<AffineForm> affine_;
};

/// A family of grids that share a file and a way to be spelled.
struct GridFamily {
  std::string_view name;      ///< "int", "q8_0", "fp16"
  std::string_view spelling;  ///< "[u]intN[:gK|:channel|:tensor][:OFFSET][:SCALE]"
  std::string_view summary;
  /// Specs that stand for the family in listings, conformance tests and benchmarks.
  std::vector<std::string> (*examples)();
  /// The grid of a spec, or nullptr if the spec isn't of this family. Throws UsageError if it is
  /// and is wrong. What is left out takes `defaults`.
  std::unique_ptr<Grid> (*make)(std::string_view spec, const AffineForm& defaults);
};

/// All families, in the order of listings.
std::span<const GridFamily* const> grid_families();

/// Throws UsageError naming the families when no family knows the spec.
std::unique_ptr<Grid> make_grid(std::string_view spec, const AffineForm& defaults = {});

}  // namespace zp
