// Where a change of one weight cancels against a change of another, so that the model computes what
// it did: found by going over its steps (network.h), not known by an architecture's name.
//
// Columns. What a linear reads may be scaled column by column if whoever made the columns can be
// scaled the other way: a norm (its weight and bias), or the rows of a linear before it (its bias
// too) when nothing but scaling, attention's mixing of tokens, or a product with something else
// stands between. Grouped heads read one value's row several times: these columns share a factor.
// Columns that attention made may also be mixed within a head, by any matrix and its inverse.
//
// The residual stream. An orthogonal matrix behind the embedding passes every RMS norm whose weight
// is one, and every sum, as long as all that is added to the stream is turned alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/network.h"

namespace zp {

/// Linears that read the same columns, and what makes these.
struct ScaleLink {
  std::vector<Place> readers;
  Place writer;
  bool norm = false;              ///< the writer is a norm, else a linear
  std::int64_t writer_width = 0;  ///< its columns, or rows
  /// The writer's column or row behind each column the readers read.
  std::vector<std::int32_t> source;
  /// So many columns side by side may be mixed with each other: a head's, or 1.
  std::int64_t mixable = 1;
};

/// Linears that read columns which can't be scaled.
struct Unlinked {
  std::vector<Place> readers;
  std::string why;
};

/// Everything that touches the residual stream, if it can be turned.
struct ResidualStream {
  std::string why_not;         ///< empty: it can
  std::vector<Place> tables;   ///< whose rows enter it: embedding, learned positions
  std::vector<Place> norms;    ///< that read it, and hand on to linears alone
  std::vector<Place> writers;  ///< linears whose rows are added to it
};

struct Cancellations {
  std::vector<ScaleLink> links;
  std::vector<Unlinked> unlinked;
  ResidualStream stream;
};

/// Only shapes and roles count: no weight is read.
Cancellations find_cancellations(const Model& model);

}  // namespace zp
