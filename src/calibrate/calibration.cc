#include "calibrate/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "engine/expert_rows.h"

namespace zp {
namespace {

// A factor of n columns takes as long as so many times n^3 multiplications for tokens
// (bench/README.md).
constexpr double kFactor = 1.8;

constexpr std::int64_t kLogits = 1 << 22;  // that are in memory together

// Of what there is one for all outputs, or one for each.
template <class T>
auto view_of(const std::map<LinearInput, std::vector<T>>& all, LinearInput input,
             std::size_t output) {
  const auto found = all.find(input);
  if (found == all.end()) return decltype(std::declval<T>().view()){};
  return found->second[found->second.size() > 1 ? output : 0].view();
}

}  // namespace

Calibration::Calibration(const Model& model, Windows windows, const CalibrationOptions& options,
                         const Team& team)
    : model_(model),
      options_(options),
      team_(team),
      groups_(model.decoder, std::move(windows), options.held_out),
      float_(model, groups_, team),
      stages_(stages_of(network(), upstream(), model.decoder.experts.count, experts_together())),
      sums_(network(), options.feedback, options.ranges ? groups_.length() : 0, team) {
  if (upstream()) {
    for (std::size_t i = 0; i < options.outputs; ++i)
      outputs_.push_back(std::make_unique<Stream>(model, groups_, team));
    coded_.resize(options.outputs);
    keeps_inner_ = true;
    keeps_inner_ = bytes() <= options.memory_bytes / 2;
  }
  layer_work_ = work_of_layer();
}

// Moments while they are summed, and what becomes of them, in every output.
std::int64_t Calibration::experts_together() const {
  const Experts& experts = model_.decoder.experts;
  if (options_.memory_bytes == 0 || experts.count == 0) return experts.count;
  const std::int64_t n = std::max(model_.decoder.hidden, experts.ffn);
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  const std::int64_t sets = upstream() ? static_cast<std::int64_t>(options_.outputs) : 1;
  const std::int64_t set =
      sets * ((upstream() ? Drift::bytes(n) : Moments::bytes(n, options_.feedback)) +
              (options_.feedback ? 3 * n * n * kFloat : 0) + 2 * InputSums::kTogether * n * kFloat);
  return std::clamp(options_.memory_bytes / 2 / set, std::int64_t{1}, experts.count);
}

bool Calibration::goes_on(ValueId input) const {
  return by_expert(input) && stage().end < model_.decoder.experts.count;
}

// The float model's weights are there, so it goes on to where least has to be held: to what the next
// linears read at most, which may be the residual stream itself; but not beyond a value that is
// asked for again.
std::vector<ValueId> Calibration::float_holds(ValueId input) const {
  if (stage_ >= 0 && goes_on(input)) return needed_without(network(), input);
  const Stage& last = stages_.back();
  ValueId end = last.inputs.back() + 1;
  for (const Stage& stage : stages_) {
    for (const ValueId next : stage.inputs) {
      if (next > input) end = std::min(end, next + 1);
    }
  }
  return needed_behind(network(), narrowest(network(), input, end));
}

// What attention gave waits for the next linear's weights, and what the MLP gave where there is
// room and what it comes from is held in any case; else that is computed again.
std::vector<ValueId> Calibration::output_holds(ValueId input) const {
  std::vector<ValueId> with = needed_behind(network(), input);
  std::vector<ValueId> without = needed_without(network(), input);
  if (network().steps[input].operation == Operation::attend) return with;
  return keeps_inner_ && std::ranges::includes(with, without) ? with : without;
}

std::int64_t Calibration::waiting_bytes(ValueId input, std::int64_t sets) const {
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  return by_expert(input) ? sets * InputSums::kTogether * width(input) * kFloat : 0;
}

// Activations of one group beside what is held of all: at their widest about four of the MLP's and
// the heads' rows, and of two models at once. A set of second moments is FP64, and FP32 twice when
// it is ready; what an input drifted is FP32.
std::int64_t Calibration::bytes() const {
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  const std::int64_t held_out = groups_.held_out_tokens();
  const std::int64_t all = tokens() + held_out;
  const auto held = [&](std::span<const ValueId> values) {
    return checked_mul(all * kFloat, columns(network(), values), "calibration");
  };
  std::int64_t widest = 0;
  std::int64_t of_float = 0;
  std::int64_t most = 0;
  for (const Stage& stage : stages_) {
    std::int64_t sum = 0;
    for (const ValueId input : stage.inputs) {
      const std::int64_t n = width(input);
      const std::int64_t sets = std::ssize(found(network(), stage, input));
      widest = std::max(widest, n);
      of_float = std::max(of_float, held(float_holds(input)));
      const std::int64_t samples = InputSamples::bytes(n, held_out * network().steps[input].rows);
      if (upstream()) {
        const std::int64_t output = sets * Drift::bytes(n) + 2 * waiting_bytes(input, sets) +
                                    samples + held(output_holds(input));
        sum += std::ssize(outputs_) * output;
      } else {
        sum += sets * Moments::bytes(n, options_.feedback) + waiting_bytes(input, sets) + samples +
               (options_.ranges && !by_expert(input) ? InputRanges::bytes(n, team_.threads()) : 0);
      }
    }
    most = std::max(most, sum);
  }
  const std::int64_t group = groups_.together();
  // When factors are made, nothing is under way.
  const std::int64_t under_way = (upstream() ? 8 : 6) * group * widest * kFloat;
  const std::int64_t ready = options_.feedback ? 2 * widest * widest * kFloat : 0;
  // Of all models, from when they are counted on.
  const std::int64_t routes =
      all * kFloat * model_.decoder.experts.count * (1 + std::ssize(outputs_));
  return of_float + most + routes + groups_.bytes(model_.decoder) + std::max(under_way, ready) +
         std::max(kLogits, model_.decoder.vocabulary) * kFloat;
}

std::int64_t Calibration::stage_of(const Weight& weight) const {
  const TensorUse& use = weight.use;
  if (const auto input = input_of(network(), use)) {
    const auto reads = [&](const Stage& stage) { return stage.has(*input); };
    return std::ranges::find_if(stages_, reads) - stages_.begin();
  }
  if (upstream() && use.place.role == Role::embedding) return 0;
  return !upstream() && use.place.layer >= 0 ? use.place.layer : stages() - 1;
}

// On the groups that samples come from, for held out or not is the same to the float model; on all
// of a text too short for any.
void Calibration::score(std::int64_t group) {
  if (!is_sampled(group) && groups_.all() > groups_.count()) return;
  const std::int64_t together = std::max(kLogits / model_.decoder.vocabulary, std::int64_t{1});
  std::int64_t first = 0;  // row of the window
  for (const Chunk& window : groups_.chunks(group)) {
    // Nothing comes behind a window's last token.
    const std::int64_t rows = std::ssize(window.ids) - 1;
    for (std::int64_t begin = 0; begin < rows; begin += together) {
      const std::int64_t count = std::min(together, rows - begin);
      const Matrix hidden = float_.rows(group, network().hidden()).rows_from(first + begin, count);
      const Activations logits = float_.engine().logits(hidden);
      for (std::int64_t r = 0; r < count; ++r)
        text_loss_.add(logits.view().row(r), window.ids[static_cast<std::size_t>(begin + r + 1)]);
    }
    first += std::ssize(window.ids);
  }
}

std::optional<TextLoss> Calibration::text_loss() const {
  return text_loss_.tokens() > 0 ? std::optional(text_loss_) : std::nullopt;
}

// As many groups of the text as are held out, spread evenly.
bool Calibration::is_sampled(std::int64_t group) const {
  const std::int64_t held = groups_.all() - groups_.count();
  if (held_out(group)) return true;
  return (group + 1) * held / groups_.count() > group * held / groups_.count();
}

void Calibration::sample(Matrix expected, Matrix came, LinearInput input, std::size_t output,
                         std::int64_t group) {
  if (!is_sampled(group)) return;
  std::vector<InputSamples>& samples = samples_[input];
  if (samples.size() <= output) samples.resize(output + 1);
  samples[output].add(expected, came, held_out(group));
}

std::string Calibration::title() const {
  const LinearInput first = linear_inputs_of(network(), stage().inputs.front()).front();
  const std::string input(role_name(input_name(network(), first).role));
  if (stage().layer < 0) return "calibrate " + input;
  const std::string layer = "calibrate layer " + std::to_string(stage().layer + 1) + " of " +
                            std::to_string(model_.decoder.layers);
  return upstream() ? layer + ", " + input : layer;
}

// What is measured on is the linears' own.
void Calibration::add(LinearInput input, Matrix own, Matrix summed, std::int64_t group) {
  sample(own, own, input, 0, group);
  if (!held_out(group)) sums_.add(input, summed);
}

void Calibration::add_drift(LinearInput input, Matrix expected, Matrix came, std::size_t output,
                            std::int64_t group) {
  sample(expected, came, input, output, group);
  if (!held_out(group)) sums_.add(input, output, came, expected);
}

void Calibration::add_values(ValueId input, std::int64_t group) {
  if (upstream()) return add_drifts(input, group);
  if (!by_expert(input)) {
    const Activations x = float_.go_on(group, input, float_holds(input));
    return add({input}, x.view(), x.view(), group);
  }
  const ValueId routes = routes_of(network(), input);
  const std::vector<float> pooled = all_routes(0, group);
  Activations all;
  if (!pooled.empty()) all = float_.with(group, routes, as_routes(pooled), input);
  const auto made = float_.go_on(group, {{input, routes}}, float_holds(input));
  const ExpertRows rows(made.at(routes).view());
  const ExpertRows all_rows(as_routes(pooled));
  for (const LinearInput& i : found(network(), stage(), input)) {
    const Matrix own = rows.of(i.expert, made.at(input).view());
    const bool pool = takes_all(0, i.expert, group);
    add(i, own, pool ? all_rows.of(i.expert, std::as_const(all).view()) : own, group);
  }
}

// Where an output's model sends its tokens, the float model's are sent, too.
void Calibration::add_drifts(ValueId input, std::int64_t group) {
  if (!by_expert(input)) {
    const Activations expected = float_.go_on(group, input, float_holds(input));
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Activations came = outputs_[i]->go_on(group, input, output_holds(input));
      add_drift({input}, expected.view(), came.view(), i, group);
    }
    return;
  }
  const ValueId routes = routes_of(network(), input);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto add = [&](Matrix sent, Matrix came, bool pooled) {
      const Activations expected = float_.with(group, routes, sent, input);
      const ExpertRows rows(sent);
      for (const LinearInput& e : found(network(), stage(), input)) {
        if (takes_all(i, e.expert, group) == pooled)
          add_drift(e, rows.of(e.expert, expected.view()), rows.of(e.expert, came), i, group);
      }
    };
    if (const std::vector<float> pooled = all_routes(i, group); !pooled.empty()) {
      const Activations came = outputs_[i]->with(group, routes, as_routes(pooled), input);
      add(as_routes(pooled), came.view(), true);
    }
    const auto made = outputs_[i]->go_on(group, {{input, routes}}, output_holds(input));
    add(made.at(routes).view(), made.at(input).view(), false);
  }
  float_.go_on(group, {}, float_holds(input));
}

// What was routed stays until the experts' turn comes.
void Calibration::count_tokens(ValueId input) {
  const ValueId routes = routes_of(network(), input);
  expert_tokens_.clear();
  const auto count = [&](Stream& stream) {
    ExpertTokens& tokens = expert_tokens_.emplace_back(model_.decoder.experts.count);
    for (std::int64_t g = 0; g < groups_.count(); ++g) tokens.add(stream.hold(g, routes));
  };
  for (const auto& output : outputs_) count(*output);
  if (!upstream()) count(float_);
  std::ranges::copy(zp::few_tokens(expert_tokens_, stage().layer), std::back_inserter(few_));
}

bool Calibration::takes_all(std::size_t output, std::int64_t expert, std::int64_t group) const {
  return !held_out(group) && expert_tokens_[output].takes_all(expert, group * groups_.together());
}

std::vector<float> Calibration::all_routes(std::size_t output, std::int64_t group) {
  if (held_out(group)) return {};
  return expert_tokens_[output].all_routes(group * groups_.together(), groups_.tokens_of(group));
}

double Calibration::work_of_layer() const {
  // Of its linears, of second moments (half of a square), of what inputs drifted.
  const auto outputs = static_cast<double>(outputs_.size());
  double sum = 0;
  for (const Weight& weight : model_.weights) {
    const Decoder& d = model_.decoder;
    const double share = weight.use.experts == 0 ? 1
                                                 : static_cast<double>(d.experts.chosen) /
                                                       static_cast<double>(d.experts.count);
    if (weight.use.place.layer == 0)
      sum += (1 + outputs) * share * static_cast<double>(weight.use.rows * weight.use.cols);
  }
  for (const ValueId input : linear_inputs(network(), 0))
    sum += (outputs > 0 ? 1.5 * outputs : 0.5) * std::pow(static_cast<double>(width(input)), 2) *
           static_cast<double>(network().steps[input].rows);
  return sum;
}

std::int64_t Calibration::factor_tokens(ValueId input) const {
  const double stages = upstream() ? static_cast<double>(linear_inputs(network(), 0).size()) : 1;
  return static_cast<std::int64_t>(kFactor * std::pow(static_cast<double>(width(input)), 3) *
                                   stages / layer_work_);
}

std::int64_t Calibration::factor_tokens(const Stage& stage) const {
  if (!options_.feedback) return 0;
  std::int64_t sum = 0;
  for (const ValueId input : stage.inputs)
    sum += factor_tokens(input) * std::ssize(found(network(), stage, input));
  return sum * std::max(std::ssize(outputs_), std::ptrdiff_t{1});
}

std::int64_t Calibration::work() const {
  std::int64_t sum = 0;
  for (const Stage& stage : stages_) {
    if (stage.inputs.empty()) continue;
    sum += tokens() + groups_.held_out_tokens() + factor_tokens(stage);
  }
  return sum;
}

// Factors need room, activations don't any more.
// A set of second moments goes as soon as its factor is there.
void Calibration::finish(Progress& progress) {
  const auto factor = [&](LinearInput input, Moments moments, std::vector<float> drift) {
    inputs_[input].emplace_back(std::move(moments), std::move(drift),
                                options_for(network(), input, options_.method), team_);
    progress.advance(factor_tokens(input.value));
  };
  std::map<LinearInput, Moments>& moments = sums_.moments();
  while (!moments.empty()) {
    const auto first = moments.begin();
    if (options_.feedback) {
      factor(first->first, std::move(first->second), {});
    } else {
      inputs_[first->first].emplace_back(first->second);
    }
    moments.erase(first);
  }
  for (auto& [input, drifts] : sums_.drifts()) {
    for (Drift& drift : drifts) factor(input, std::move(drift.moments), std::move(drift.sums));
  }
  sums_.clear();
}

void Calibration::run(Progress& progress, std::int64_t total) {
  inputs_.clear();
  samples_.clear();
  sums_.clear();
  ++stage_;
  if (stage().inputs.empty()) return;
  progress.stage(title(), total + groups_.held_out_tokens(), "tokens");
  // Where the tokens go is known before any of them counts.
  const auto dispatched = std::ranges::find_if(stage().inputs, [&](ValueId input) {
    return network().steps[input].operation == Operation::dispatch;
  });
  std::vector<std::vector<ValueId>> rounds = {stage().inputs};
  if (dispatched != stage().inputs.end()) {
    rounds = {{stage().inputs.begin(), dispatched}, {dispatched, stage().inputs.end()}};
  }
  for (const auto& inputs : rounds) {
    if (!inputs.empty() && stage().begin == 0 &&
        network().steps[inputs.front()].operation == Operation::dispatch)
      count_tokens(inputs.front());
    for (std::int64_t g = 0; g < groups_.all(); ++g) {
      for (const ValueId input : inputs) add_values(input, g);
      if (stage().layer < 0) score(g);
      if (&inputs == &rounds.back()) progress.advance(groups_.tokens_of(g));
    }
  }
  sums_.finish();
}

void Calibration::next(Progress& progress) {
  run(progress, tokens() + factor_tokens(stages_[static_cast<std::size_t>(stage_ + 1)]));
  finish(progress);
}

const std::map<LinearInput, Moments>& Calibration::gather(Progress& progress) {
  run(progress, tokens());
  return sums_.moments();
}

InputStatistics Calibration::of(const Weight& weight, std::size_t output) const {
  const auto input = input_of(network(), weight.use);
  if (!input) return {};
  return view_of(inputs_, *input, output);
}

SampledInputs Calibration::samples(const Weight& weight, std::size_t output) const {
  const auto input = input_of(network(), weight.use);
  if (!input) return {};
  return view_of(samples_, *input, output);
}

void Calibration::describe(Hash64& hash) const {
  groups_.describe(hash);
  const std::int64_t together = experts_together();
  if (together > 0) hash.add(std::as_bytes(std::span(&together, 1)));
}

bool Calibration::may_break_behind(std::int64_t stage) const {
  const auto at = static_cast<std::size_t>(stage);
  return stages_[at].layer >= 0 && stages_[at + 1].layer != stages_[at].layer;
}

std::vector<Bytes> Calibration::state() {
  const ValueId input = stage().inputs.back();
  std::vector<Bytes> all = float_.state(float_holds(input));
  const std::vector<ValueId> values = needed_without(network(), input);
  for (const auto& output : outputs_) {
    for (const Bytes part : output->state(values)) all.push_back(part);
  }
  all.push_back(std::as_bytes(std::span(few_)));
  return all;
}

void Calibration::resume(std::int64_t stages, Bytes state) {
  if (stages < 1 || stages >= this->stages() || !may_break_behind(stages - 1))
    throw Error("`resume`", "a state between other stages");
  stage_ = stages - 1;
  const ValueId input = stage().inputs.back();
  float_.resume(float_holds(input), state);
  const std::vector<ValueId> values = needed_without(network(), input);
  for (const auto& output : outputs_) output->resume(values, state);
  if (state.size() % sizeof(FewTokens) != 0) throw Error("`resume`", "a state of another size");
  few_.resize(state.size() / sizeof(FewTokens));
  if (!state.empty()) std::memcpy(few_.data(), state.data(), state.size());
}

bool Calibration::wants(const Weight& weight) const { return upstream() && weight.use.is_matrix(); }

void Calibration::coded(const Weight& weight, std::size_t output, std::unique_ptr<RowReader> rows) {
  const std::int64_t layer = weight.use.place.layer;
  // Nothing comes back to a layer: when the next one's first weights are there, it is done with.
  // What stands outside the layers stays.
  std::erase_if(coded_[output], [&](const Coded& c) { return c.layer >= 0 && c.layer < layer; });
  outputs_[output]->engine().replace(weight.use.place, *rows);
  coded_[output].push_back({layer, std::move(rows)});
}

}  // namespace zp
