// Statistics of linear layers' inputs as a run of quantize takes them: stage by stage, so that few
// are in memory at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/progress.h"
#include "calibrate/text_loss.h"
#include "method/method.h"
#include "model/network.h"

namespace zp {

/// Inputs of some tokens, one row each: the float model's, and those that really come.
struct InputSample {
  Matrix expected;
  Matrix came;
};

struct SampledInputs {
  InputSample seen;  ///< of the text
  InputSample held_out;
};

/// An expert that less than kFewTokens of the text's tokens go through.
struct FewTokens {
  std::int64_t layer = 0;
  std::int64_t expert = 0;
  std::int64_t tokens = 0;
  auto operator<=>(const FewTokens&) const = default;
};
/// Below it the squares of an input are known to no better than a quarter.
inline constexpr std::int64_t kFewTokens = 32;

class LayerStatistics {
 public:
  LayerStatistics() = default;
  LayerStatistics(const LayerStatistics&) = delete;
  LayerStatistics& operator=(const LayerStatistics&) = delete;
  virtual ~LayerStatistics() = default;

  /// Memory it takes at most.
  virtual std::int64_t bytes() const = 0;
  virtual std::int64_t stages() const = 0;
  /// What next() says of its progress in all stages together.
  virtual std::int64_t work() const { return 0; }
  /// Of the text they come from.
  virtual std::int64_t windows() const = 0;
  /// The stage whose statistics a weight wants; a weight that has none has the stage in which it
  /// may be coded.
  virtual std::int64_t stage_of(const Weight& weight) const = 0;

  /// The next stage, from 0 on; forgets the statistics of the one before.
  virtual void next(Progress& progress) = 0;
  /// Of the stage that came last, for one of the outputs; all empty for other weights. Valid until
  /// next().
  virtual InputStatistics of(const Weight& weight, std::size_t output) const = 0;

  /// Inputs to measure on, where windows were held out; as of().
  virtual SampledInputs samples(const Weight&, std::size_t) const { return {}; }

  /// Behind the last stage: how the float model finds the text, where that went through it.
  virtual std::optional<TextLoss> text_loss() const { return std::nullopt; }

  /// Of the layers so far, in their order: experts whose statistics are not of their own tokens
  /// alone, but of others of the layer, too.
  virtual std::vector<FewTokens> few_tokens() const { return {}; }

  /// What the statistics depend on beside the model and the options.
  virtual void describe(Hash64& hash) const = 0;
  /// Whether the run may be broken off behind this stage, and go on from state().
  virtual bool may_break_behind(std::int64_t) const { return true; }
  /// Behind the stage that came last: what resume() needs beside what coded() is told. Borrowed.
  virtual std::vector<Bytes> state() { return {}; }
  /// Before any next(), after every coded() there was: `stages` are done. Throws Error for a state
  /// of another size.
  virtual void resume(std::int64_t stages, Bytes state) = 0;

  /// Whether coded() is to be told of the weight.
  virtual bool wants(const Weight&) const { return false; }
  /// What became of a weight of this stage in an output. Rows in our own form.
  virtual void coded(const Weight&, std::size_t, std::unique_ptr<RowReader>) {}
};

/// The coder's options for linears that read this value.
FeedbackOptions options_for(const Network& network, LinearInput input, FeedbackOptions options);

}  // namespace zp
