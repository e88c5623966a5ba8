// Rewrites that scale columns (AWQ, SmoothQuant), link by link.
#pragma once

#include <span>
#include <vector>

#include "method/rewrite.h"

namespace zp {

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

class ScalingRewrite : public Rewrite {
 public:
  virtual Scaling scale(const LinkedReaders& readers, const Team& team) const = 0;

  RewriteResult plan(const Cancellations& found) const final;
  Rewriting run(RewritePass& pass, RewriteResult& result) const final;

 protected:
  using Rewrite::Rewrite;
};

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
