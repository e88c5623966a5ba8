// A grid: which values a group of weights can take, and which bytes hold them.
//
// Parameters have two levels. A block is one packed record, or one group. A unit is the weights of
// a block that share an inner scale. A step is the codes chosen together: step <= unit <= block.
// Every method drives every grid through four verbs:
//
//   open_block(params, w, h)      fit the outer parameters from the whole block
//   open_unit (params, u, w, h)   fit the inner scale of unit u
//   encode    (params, j, w)      choose the codes of a step, and say what they decode to
//   pack / decode                 parameters and codes <-> bytes
//
// Two rules make that work. encode is a pure function of parameters, position and weights, so
// columns may come in any order. What it calls decoded is what decode gives back from the packed
// bytes: scales are rounded to their stored type before the first code is chosen. So error feedback
// corrects the error there really is.
//
// Stored bytes are one or more planes (codes, scales, zeros ...). A row takes a whole number of
// bytes in each, and rows follow each other without gaps.
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

/// Significant bits of FP32.
inline constexpr int kExactBits = 24;

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

/// One stored stream. A row's elements lie one behind the other, the first in the lowest bits of
/// its first byte (where codebooks have the second); what is left of the last byte is zero.
struct Plane {
  std::string name;       ///< "codes", "scales", "zeros", "mins", "blocks" or "values"
  std::string type_name;  ///< element type as people read it: "uint4", "fp16", "q8_0"
  std::int64_t bits;      ///< of an element
  std::int64_t weights;   ///< of a row that share an element; 0: all of them
};

/// Numbers that scales are stored as: whole multiples, of so many significant bits, of 2^least, below
/// 2^(most + 1).
struct ScaleRange {
  std::string_view name;  ///< "fp16"
  int significant;
  int least;
  int most;
};

/// What the weights of a unit may be: a scale times a level (sym, restricted), times a level less a
/// whole number of them (zero), or that plus a float (min).
struct Values {
  std::vector<double>
      levels;  ///< ascending; with a zero-point or minimum, as one in the middle has them
  Offset offset = Offset::sym;
  bool negative = false;  ///< whether scales may be below 0
  ScaleRange scale = {};
  int arithmetic = kExactBits;  ///< significant bits that decoding computes with
};

/// Planes of a run of rows: planes[i] points at the first byte of plane i.
using PlanesIn = std::span<const std::byte* const>;
using PlanesOut = std::span<std::byte* const>;

/// Immutable; const use from many threads is safe. Row functions are noexcept: shapes have been
/// checked by why_not before.
class Grid {
 public:
  virtual ~Grid() = default;

  /// Canonical and full, e.g. "int4:g32:zero:s16".
  const std::string& spec() const { return spec_; }
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
  /// Elements of a plane in a row of `cols` weights, and their bytes.
  std::int64_t row_elements(std::size_t plane, std::int64_t cols) const;
  std::int64_t row_bytes(std::size_t plane, std::int64_t cols) const;
  /// All planes of a rows x cols tensor.
  std::int64_t bytes(std::int64_t rows, std::int64_t cols) const;
  double bits_per_weight(std::int64_t rows, std::int64_t cols) const;

  /// Bytes of one block's parameters (trivially copyable, alignment of double).
  virtual std::int64_t params_bytes(std::int64_t cols) const = 0;

  // The four verbs, over a tile of rows. params: rows x params_bytes(), each row's of one block. h:
  // importance of the columns of w, or empty (each 1). REQUIRES: a block is opened before its units, a
  // unit before its steps are encoded, all steps of a row before it is packed.

  /// w: rows x the columns of a block; the last of a row may have fewer.
  virtual void open_block(std::byte* params, Matrix w, Floats h, Fit fit) const noexcept = 0;
  /// w: rows x the columns of unit u of the block; the last of a row may have fewer.
  virtual void open_unit(std::byte* params, std::int64_t u, Matrix w, Floats h,
                         Fit fit) const noexcept = 0;
  /// w: rows x whole steps of one unit, from column j of the block on. codes, decoded: as w.
  virtual void encode(const std::byte* params, std::int64_t j, Matrix w, View2D<Code> codes,
                      View2D<float> decoded) const noexcept = 0;
  /// One row. params: of its blocks, one behind the other. codes: one for each column.
  virtual void pack(const std::byte* params, std::span<const Code> codes,
                    PlanesOut out) const noexcept = 0;
  /// What the planes of out.rows rows hold.
  virtual void decode(PlanesIn in, View2D<float> out) const noexcept = 0;
  /// out[r] = dot(x, decoded row r) of kernel/matmul.h, x.size() columns: to the bit, but no row of
  /// floats need come into being.
  virtual void products(PlanesIn in, Floats x, std::span<float> out) const = 0;

  /// All verbs in one pass, each weight with its nearest code: the bytes that the verbs give one
  /// after the other, in vector code where the grid has it.
  virtual void quantize(Matrix w, Floats h, Fit fit, PlanesOut out) const = 0;

  /// Stores weights that lie on the grid already: planes that decode to w. Where w was rounded to fewer
  /// than kExactBits significant bits before, planes whose values round to it. Returns false, with nothing
  /// of use in `out`, where it finds none. It looks at families whose values are a scale times a level,
  /// with a zero-point or minimum or none, and at scales alone of what is called a way in held.h.
  virtual bool hold(Matrix w, int significant, PlanesOut out) const = 0;
  /// Which values those are; nothing: not such a family.
  virtual std::optional<Values> values() const = 0;

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
