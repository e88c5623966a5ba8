// Rewrites: they change the float model so that a coder loses less of it, and what it computes
// stays as it is (model/rewriting.h says where a change cancels).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "method/method.h"
#include "model/rewriting.h"

namespace zp {

/// What a rewrite can do to a model, and what it did.
struct RewriteResult {
  std::string name;
  std::int64_t possible = 0;  ///< inputs that can be scaled; or spaces that can be turned
  std::int64_t changed = 0;
  /// Error of linears' outputs as a share of what it was, the mean over inputs; or, of a rotation,
  /// over linears.
  double loss = 1;
  std::vector<std::string> notes;  ///< what can't be, and why
};

/// What is known of the columns that a linear reads.
struct ReadColumns {
  std::vector<float> moments;  ///< second moments, symmetric, the mean of the diagonal 1 or all 0
  std::vector<float> largest;  ///< of each column the largest magnitude
};

/// A pass of the float model over the calibration text, as the rewrite before left it.
class RewritePass {
 public:
  virtual ~RewritePass() = default;

  const Model& model;
  const Cancellations& cancellations;                  ///< of the model
  const std::vector<std::vector<const Grid*>>& grids;  ///< of each weight in each output; nullptr:
                                                       ///< it isn't coded by rows there
  const Fit fit;                                       ///< of the coder that comes
  const std::uint64_t seed;                            ///< of random signs
  const Team& team;

  /// Goes on by a stage, a layer or the head. False: there was none.
  virtual bool next() = 0;
  /// What the linear reads; nothing where that is of another stage, or the weight is no linear.
  /// REQUIRES: next() gave true last.
  virtual std::optional<ReadColumns> columns(const Weight& linear) const = 0;

 protected:
  RewritePass(const Model& of, const Cancellations& found,
              const std::vector<std::vector<const Grid*>>& grids_of_weights, Fit of_coder,
              std::uint64_t of_signs, const Team& works)
      : model(of),
        cancellations(found),
        grids(grids_of_weights),
        fit(of_coder),
        seed(of_signs),
        team(works) {}
};

class Rewrite : public Method {
 public:
  /// What it could do, known before it runs: changed is 0 and loss 1.
  virtual RewriteResult plan(const Cancellations& found) const = 0;
  /// The changes that it decides on. result: as plan() has it; gets what was done.
  virtual Rewriting run(RewritePass& pass, RewriteResult& result) const = 0;

 protected:
  using Method::Method;
};

/// One of each, in the order of rewrites.def.
std::vector<std::unique_ptr<Rewrite>> rewrites();
/// NAME[:OPTION=VALUE][,NAME...]: in the order they are to be done. Throws UsageError for what
/// isn't known, and for one that stands twice.
std::vector<std::unique_ptr<Rewrite>> parse_rewrites(std::string_view spec);

}  // namespace zp
