// What a model's linear layers see on a text.
//
// The model goes over the text layer by layer: of all tokens what leaves a layer is kept, and of
// few linears at a time the statistics of their inputs. Linears that read the same input (query,
// key and value; gate and up) share one set. An embedding that is the head too has the head's; any
// other is looked up, not multiplied, and has none.
//
// Without upstream correction the float model alone goes, a layer at a time, and its statistics
// serve every output. With it, each output's model goes beside it, quantized as far as it is coded:
// a stage is then the linears that read one input, and their statistics say how far that input has
// come away from the float model's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "calibrate/expert_tokens.h"
#include "calibrate/input_samples.h"
#include "calibrate/input_sums.h"
#include "calibrate/layer_inputs.h"
#include "calibrate/layer_statistics.h"
#include "calibrate/stages.h"
#include "calibrate/stream.h"
#include "calibrate/text_loss.h"

namespace zp {

struct CalibrationOptions {
  bool feedback = false;    ///< whether more than InputStatistics::importance is asked for
  FeedbackOptions method;   ///< what then counts
  std::size_t outputs = 1;  ///< that are coded from it
  bool ranges = false;      ///< whether gather() finds ranges, too, but for experts; not with
                            ///< upstream correction
  /// Budget: in half of it what the MLPs gave may wait for their last linears' weights, which is
  /// quicker than to compute it again. 0: none.
  std::int64_t memory_bytes = 0;
  /// Of the same length as the text's: what comes of them is in no statistics, but in samples().
  Windows held_out;
};

class Calibration final : public LayerStatistics {
 public:
  /// Borrows the model and the team. windows: of equal length, at least one. Nothing runs yet.
  Calibration(const Model& model, Windows windows, const CalibrationOptions& options,
              const Team& team);

  std::int64_t tokens() const { return groups_.tokens(); }
  /// Tokens of a window.
  std::int64_t context() const { return groups_.length(); }

  std::int64_t bytes() const override;
  std::int64_t stages() const override { return static_cast<std::int64_t>(stages_.size()); }
  std::int64_t work() const override;
  std::int64_t windows() const override { return tokens() / context(); }
  std::int64_t stage_of(const Weight& weight) const override;
  void next(Progress& progress) override;
  InputStatistics of(const Weight& weight, std::size_t output) const override;
  SampledInputs samples(const Weight& weight, std::size_t output) const override;
  std::optional<TextLoss> text_loss() const override;
  std::vector<FewTokens> few_tokens() const override { return few_; }
  void describe(Hash64& hash) const override;
  /// Behind whole layers.
  bool may_break_behind(std::int64_t stage) const override;
  std::vector<Bytes> state() override;
  void resume(std::int64_t stages, Bytes state) override;
  bool wants(const Weight& weight) const override;
  void coded(const Weight& weight, std::size_t output, std::unique_ptr<RowReader> rows) override;

  /// The float model's.
  const Network& network() const { return float_.network(); }
  /// Instead of next(), without upstream correction: the stage's moments as they are, of every
  /// value that linears read.
  const std::map<LinearInput, Moments>& gather(Progress& progress);
  /// Of the stage gather() was called for last.
  const InputRanges& ranges(LinearInput input) const { return sums_.ranges(input); }
  /// Tokens of the text that go through one of that stage's experts.
  std::int64_t tokens_of(std::int64_t expert) const { return expert_tokens_.front().of(expert); }

 private:
  struct Coded {
    std::int64_t layer;
    std::unique_ptr<RowReader> rows;
  };

  bool upstream() const { return options_.feedback && options_.method.upstream; }
  const Stage& stage() const { return stages_[static_cast<std::size_t>(stage_)]; }
  std::int64_t width(ValueId value) const { return network().steps[value].width; }
  /// Values from which the rest of the network can be computed, once `input` is there: in the float
  /// model, and in one whose next weights aren't there yet.
  std::vector<ValueId> float_holds(ValueId input) const;
  std::vector<ValueId> output_holds(ValueId input) const;
  std::string title() const;
  bool held_out(std::int64_t group) const { return group >= groups_.count(); }
  bool is_sampled(std::int64_t group) const;
  void sample(Matrix expected, Matrix came, LinearInput input, std::size_t output,
              std::int64_t group);
  /// Goes on to what linears read, in the float model and in every output's, and takes it into its
  /// statistics.
  void add_values(ValueId input, std::int64_t group);
  void add_drifts(ValueId input, std::int64_t group);
  void add(LinearInput input, Matrix own, Matrix summed, std::int64_t group);
  Matrix as_routes(const std::vector<float>& routes) const {
    const std::int64_t experts = model_.decoder.experts.count;
    return {routes.data(), std::ssize(routes) / experts, experts};
  }
  void add_drift(LinearInput input, Matrix expected, Matrix came, std::size_t output,
                 std::int64_t group);
  bool by_expert(ValueId input) const { return network().steps[input].by_expert; }
  /// Experts of a layer whose statistics have room in half of the memory.
  std::int64_t experts_together() const;
  std::int64_t waiting_bytes(ValueId input, std::int64_t sets) const;
  /// Whether later stages find more of it.
  bool goes_on(ValueId input) const;
  /// How many of the text's tokens each of the layer's experts gets, in every model.
  void count_tokens(ValueId input);
  /// Of a group, see ExpertTokens.
  bool takes_all(std::size_t output, std::int64_t expert, std::int64_t group) const;
  std::vector<float> all_routes(std::size_t output, std::int64_t group);
  /// What the float model says to the text, where its last layer is done.
  void score(std::int64_t group);
  /// Multiplications for a token in a layer.
  double work_of_layer() const;
  /// What the factors for an input take, in tokens.
  std::int64_t factor_tokens(ValueId input) const;
  /// For all the factors of a stage; 0: nobody asks for any.
  std::int64_t factor_tokens(const Stage& stage) const;
  void run(Progress& progress, std::int64_t total);
  void finish(Progress& progress);

  const Model& model_;
  CalibrationOptions options_;
  const Team& team_;
  WindowGroups groups_;
  Stream float_;
  std::vector<Stage> stages_;
  std::vector<std::unique_ptr<Stream>> outputs_;
  std::vector<std::vector<Coded>> coded_;  // of each output
  double layer_work_ = 0;
  bool keeps_inner_ = false;  // what MLPs gave
  std::int64_t stage_ = -1;
  TextLoss text_loss_;
  std::vector<ExpertTokens> expert_tokens_;  // of the layer, in the float model or in each output's
  std::vector<FewTokens> few_;
  InputSums sums_;                                          // of the stage
  std::map<LinearInput, std::vector<LayerInputs>> inputs_;  // one for all outputs, or one for each
  std::map<LinearInput, std::vector<InputSamples>> samples_;  // likewise
};

}  // namespace zp
