// Rewrites: they change the float model so that a coder loses less of it, and what it computes
// stays as it is (model/rewriting.h says where a change cancels).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "method/output_error.h"

namespace zp {

/// What may stand after a rewrite's name: "smoothquant:alpha=0.5".
struct RewriteOptions {
  double alpha = 0.5;  ///< smoothquant: how much of the inputs' range goes into the weights
};

/// A linear.
struct LinkedReader {
  Matrix w;                        ///< some of its rows
  Floats largest;                  ///< of each column the largest magnitude, over all rows
  std::vector<const Grid*> grids;  ///< of each output; nullptr: it isn't coded by rows there
};

/// Linears that read the same columns, and what is known of these.
struct LinkedReaders {
  std::vector<LinkedReader> readers;
  Matrix moments;  ///< the inputs' second moments, on any scale
  Floats largest;  ///< the same of the inputs
  /// Columns with the same source share a factor.
  std::span<const std::int32_t> source;
  std::int64_t sources = 0;
  Fit fit = Fit::search;  ///< of the coder that comes
};

struct Scaling {
  std::vector<float> factors;  ///< of each source, all positive
  double loss = 1;             ///< error of the outputs; without factors it is 1
};

/// A rewrite, as data. It scales columns, or else turns spaces (pipeline/rotate.h).
struct Rewrite {
  std::string_view name;
  std::string_view summary;
  std::string_view option;  ///< the one it takes; empty: none
  Scaling (*scale)(const LinkedReaders& readers, const RewriteOptions& options,
                   const Team& team) = nullptr;
};

/// A rewrite and its options.
struct ChosenRewrite {
  const Rewrite* rewrite = nullptr;
  RewriteOptions options;
};

std::span<const Rewrite* const> rewrites();
/// NAME[:OPTION=VALUE][,NAME...]: in the order they are to be done. Throws UsageError for what
/// isn't known, and for one that stands twice.
std::vector<ChosenRewrite> parse_rewrites(std::string_view spec);

/// The loss with these factors, as a share of the one without; the sum over outputs, over their
/// number.
class LinkLoss {
 public:
  LinkLoss(const LinkedReaders& readers, const Team& team);
  double operator()(std::span<const float> factors) const;

 private:
  std::vector<double> errors(std::span<const float> factors) const;

  const LinkedReaders& readers_;
  const Team& team_;
  std::vector<double> without_;  // of each output
};

}  // namespace zp
