// A model whose weights are changed so that it computes what it did: plain data, and the model it
// makes. Changed values are computed while rows stream; nothing of the size of a tensor is held.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "model/cancellations.h"
#include "model/hadamard.h"

namespace zp {

/// What becomes of a linear's W (or a table's), rows x cols: W' = R diag(row_factors) W
/// diag(column_factors) C^T, with the rotations R and C; of its bias: b' = R diag(row_factors) b.
/// What a norm multiplies by, and its bias, are its columns.
struct Change {
  std::vector<float> column_factors;  ///< one each; none: all 1
  Rotation column_rotation;
  std::vector<float> row_factors;
  Rotation row_rotation;
  std::int64_t turned_begin = 0;  ///< R turns these rows alone (of a fused matrix, the values)
  std::int64_t turned_end = 0;
  bool ones = false;  ///< a norm multiplies by one: it was folded into its readers
};

using Rewriting = std::map<Place, Change>;

// Each adds to a rewriting in which the places aren't changed in the same way yet.

/// Readers' columns times their source's factor, the writer divided by it. factors: of the writer's
/// width; where no column reads they count for nothing.
/// Powers of two change no bit of what the model computes.
void add_factors(Rewriting& rewriting, const ScaleLink& link, const std::vector<float>& factors);
/// Turns what the link's writer, a linear, makes; link.mixable must be a multiple of the width.
void add_rotation(Rewriting& rewriting, const ScaleLink& link, const Rotation& rotation);
/// Folds the norms on the residual stream into their readers and turns the stream, which must allow
/// it. rotation.width(): the hidden size.
void add_stream_rotation(Rewriting& rewriting, const Model& model,
                         const Cancellations& cancellations, const Rotation& rotation);

/// Borrows the source.
Model rewritten(const Model& source, const Rewriting& rewriting);

}  // namespace zp
