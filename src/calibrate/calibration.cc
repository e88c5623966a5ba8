#include "calibrate/calibration.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace zp {
namespace {

// Second moments of what comes, and how far it is from what was expected.
struct Drift {
  explicit Drift(std::int64_t columns)
      : moments(columns, true), sums(static_cast<std::size_t>(columns * columns)) {}

  void add(Matrix came, Matrix expected, const Team& team) {
    moments.add(came, team);
    std::vector<float> apart(static_cast<std::size_t>(expected.rows * expected.cols));
    const View2D<float> d(apart.data(), expected.rows, expected.cols);
    for (std::int64_t r = 0; r < d.rows; ++r)
      std::ranges::transform(expected.row(r), came.row(r), d.row(r).begin(), std::minus());
    add_products(came, d, {sums.data(), d.cols, d.cols}, team);
  }

  Moments moments;
  std::vector<float> sums;
};

std::string input_name(std::int64_t layer, Role role) {
  const std::string name(role_name(role));
  return layer < 0 ? name : name + " of layer " + std::to_string(layer);
}

// A factor of n columns takes as long as so many times n^3 multiplications for tokens
// (bench/README.md).
constexpr double kFactor = 1.8;

constexpr std::int64_t kLogits = 1 << 22;  // that are in memory together

std::int64_t columns_of(const Decoder& d, Role input) {
  if (input == Role::down) return d.ffn;
  return input == Role::attention_output ? d.heads * d.head_dim : d.hidden;
}

// Of what there is one for all outputs, or one for each.
template <class T>
auto view_of(const std::map<Role, std::vector<T>>& all, Role input, std::size_t output) {
  const auto found = all.find(input);
  if (found == all.end()) return decltype(std::declval<T>().view()){};
  return found->second[found->second.size() > 1 ? output : 0].view();
}

std::vector<Role> roles_of_layer(const Decoder& d) {
  if (d.parallel) return {Role::query, Role::attention_output, Role::down};
  return {Role::query, Role::attention_output, Role::gate, Role::down};
}

}  // namespace

Calibration::Calibration(const Model& model, std::vector<std::vector<std::int32_t>> windows,
                         const CalibrationOptions& options, const Team& team)
    : model_(model),
      options_(options),
      team_(team),
      groups_(model.decoder, std::move(windows), options.held_out),
      float_(model, groups_, team) {
  const bool upstream = options.feedback && options.method.upstream;
  if (upstream) stages_.push_back({-1, Role::embedding});
  for (std::int64_t layer = 0; layer < model.decoder.layers; ++layer) {
    if (!upstream) {
      stages_.push_back({layer, Role::embedding});
      continue;
    }
    for (const Role role : roles_of_layer(model.decoder)) stages_.push_back({layer, role});
  }
  stages_.push_back({-1, Role::head});
  if (!upstream) {
    float_.engine().observe([this](Matrix x, Place place) { see(x, place); });
    return;
  }
  for (std::size_t i = 0; i < options.outputs; ++i)
    outputs_.push_back(std::make_unique<Stream>(model, groups_, team));
  coded_.resize(options.outputs);
  keeps_inner_ = halves();
  if (bytes() > options.memory_bytes / 2) keeps_inner_ = false;
}

// Activations of one group beside the hidden states: at their widest about four of the MLP's and
// the heads' rows, and of two models at once. A set of second moments is FP64, and FP32 twice when
// it is ready; what an input drifted is FP32. What attention gave waits for weights, what the MLP
// gave where there is room.
std::int64_t Calibration::bytes() const {
  const Decoder& d = model_.decoder;
  const std::int64_t group = groups_.together();
  const std::int64_t widest = std::max({d.hidden, d.heads * d.head_dim, d.ffn});
  const auto outputs = static_cast<std::int64_t>(outputs_.size());
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  const std::int64_t held_out = groups_.held_out_tokens();
  const std::int64_t all = tokens() + held_out;
  std::int64_t sum = checked_mul(all * kFloat * (1 + outputs), d.hidden, "calibration");
  sum += groups_.bytes(d);
  // When factors are made, nothing is under way.
  const std::int64_t under_way = (upstream() ? 8 : 6) * group * widest * kFloat;
  const std::int64_t ready = options_.feedback ? 2 * widest * widest * kFloat : 0;
  sum += std::max(under_way, ready);
  sum += std::max(kLogits, d.vocabulary) * kFloat;
  if (upstream()) {
    const auto gathered = [&](std::int64_t columns) {
      return Moments::bytes(columns, true) + columns * columns * kFloat +
             InputSamples::bytes(columns, held_out);
    };
    const auto kept = [&](std::int64_t columns) { return all * columns * kFloat; };
    const std::int64_t attended = d.heads * d.head_dim;
    return sum + outputs * std::max(gathered(widest) + (keeps_inner_ ? kept(d.ffn) : 0),
                                    gathered(attended) + kept(attended));
  }
  std::int64_t moments = 0;
  for (const std::int64_t columns : {d.hidden, d.heads * d.head_dim, d.hidden, d.ffn})
    moments += Moments::bytes(columns, options_.feedback) + InputSamples::bytes(columns, held_out) +
               (options_.ranges ? InputRanges::bytes(columns, team_.threads()) : 0);
  return sum + moments;
}

std::int64_t Calibration::stage_of(const Weight& weight) const {
  const Role role = input_role(model_.decoder, weight.use.role);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (stages_[i].layer == weight.use.layer &&
        (stages_[i].role == role || (stages_[i].layer >= 0 && !upstream())))
      return static_cast<std::int64_t>(i);
  }
  return stages() - 1;
}

void Calibration::see(Matrix x, Place place) {
  const Role role = input_role(model_.decoder, place.role);
  if (std::exchange(seen_[role], true)) return;
  sample(x, x, role, 0, group_);
  if (held_out(group_)) return;
  moments_.try_emplace(role, x.cols, options_.feedback).first->second.add(x, team_);
  if (!options_.ranges) return;
  ranges_.try_emplace(role, x.cols, groups_.length())
      .first->second.add(x, "calibrate: what " + input_name(place.layer, role) + " reads", team_);
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
      const Activations logits = float_.engine().logits(float_.hidden(group), first + begin, count);
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

void Calibration::sample(Matrix expected, Matrix came, Role role, std::size_t output,
                         std::int64_t group) {
  if (!is_sampled(group)) return;
  std::vector<InputSamples>& samples = samples_[role];
  if (samples.size() <= output) samples.resize(output + 1);
  samples[output].add(expected, came, held_out(group));
}

std::string Calibration::title() const {
  const Stage& stage = stages_[static_cast<std::size_t>(stage_)];
  if (stage.layer < 0) return "calibrate " + std::string(role_name(stage.role));
  std::string out = "calibrate layer " + std::to_string(stage.layer + 1) + " of " +
                    std::to_string(model_.decoder.layers);
  if (upstream()) out += ", " + std::string(role_name(stage.role));
  return out;
}

void Calibration::run_layer(Progress& progress) {
  const std::int64_t layer = stages_[static_cast<std::size_t>(stage_)].layer;
  for (std::int64_t g = 0; g < groups_.all(); ++g) {
    seen_.clear();
    group_ = g;
    float_.layer(layer, g);
    progress.advance(float_.hidden(g).rows());
  }
}

// What the head reads is enough: no logits.
void Calibration::run_head(Progress& progress) {
  for (std::int64_t g = 0; g < groups_.all(); ++g) {
    seen_.clear();
    group_ = g;
    const Activations x = float_.inputs(-1, Role::head, g);
    see(x.view(), {-1, Role::head});
    score(g);
    progress.advance(x.rows());
  }
}

// To where the stage's inputs come from: by the half of a layer, or the layer, whose weights are
// all there now.
void Calibration::go_on(Stream& stream, std::int64_t group) {
  const Stage& stage = stages_[static_cast<std::size_t>(stage_)];
  const std::int64_t before = stage.layer < 0 ? model_.decoder.layers - 1 : stage.layer - 1;
  if (stage.role == Role::gate) return stream.half(stage.layer, Role::attention_output, group);
  if ((stage.role == Role::query && before >= 0) || stage.role == Role::head) {
    if (model_.decoder.parallel) return stream.layer(before, group);
    stream.half(before, Role::down, group);
  }
}

bool Calibration::keeps(Role role) const {
  return halves() && (role == Role::attention_output || (role == Role::down && keeps_inner_));
}

// The statistics of one stage in every output's model. The float model's weights are there, so it
// goes on at once; of an output's model what attention gave waits for the next linear's weights,
// and what the MLP gave where there is room; else that is computed again.
void Calibration::run_inputs(Progress& progress) {
  const Stage& stage = stages_[static_cast<std::size_t>(stage_)];
  std::vector<Drift> drifts;
  for (std::int64_t g = 0; g < groups_.all(); ++g) {
    if (!halves()) go_on(float_, g);
    const Activations expected = float_.inputs(stage.layer, stage.role, g);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      go_on(*outputs_[i], g);
      if (g == 0) drifts.emplace_back(expected.cols());
      const Activations came = outputs_[i]->inputs(stage.layer, stage.role, g);
      sample(expected.view(), came.view(), stage.role, i, g);
      if (!held_out(g)) drifts[i].add(came.view(), expected.view(), team_);
      if (keeps(stage.role)) outputs_[i]->keep(g, came.view());
    }
    if (halves() && (stage.role == Role::attention_output || stage.role == Role::down))
      float_.finish_half(stage.layer, stage.role, g, expected);
    if (stage.role == Role::head) score(g);
    progress.advance(expected.rows());
  }
  shrink();
  for (Drift& drift : drifts) {
    inputs_[stage.role].emplace_back(std::move(drift.moments), std::move(drift.sums),
                                     options_for(model_.decoder, stage.role, options_.method),
                                     team_);
    progress.advance(factor_tokens(stage.role));
  }
}

std::int64_t Calibration::factor_tokens(Role role) const {
  const Decoder& d = model_.decoder;
  const auto square = [&](Role input) {
    const auto n = static_cast<double>(columns_of(d, input));
    return n * n;
  };
  // Multiplications for a token in a layer: of its linears, of second moments (half of a square),
  // of what inputs drifted.
  const auto outputs = static_cast<double>(outputs_.size());
  double layer = 0;
  for (const Weight& weight : model_.weights) {
    if (weight.use.layer == 0)
      layer += (1 + outputs) * static_cast<double>(weight.use.rows * weight.use.cols);
  }
  for (const Role input : roles_of_layer(d))
    layer += (outputs > 0 ? 1.5 * outputs : 0.5) * square(input);
  const double stages = upstream() ? static_cast<double>(roles_of_layer(d).size()) : 1;
  return static_cast<std::int64_t>(kFactor * square(role) *
                                   static_cast<double>(columns_of(d, role)) * stages / layer);
}

std::int64_t Calibration::factor_tokens(const Stage& stage) const {
  if (!options_.feedback || (stage.layer < 0 && stage.role == Role::embedding)) return 0;
  if (upstream()) return std::ssize(outputs_) * factor_tokens(stage.role);
  if (stage.layer < 0) return factor_tokens(stage.role);
  std::int64_t sum = 0;
  for (const Role role : roles_of_layer(model_.decoder)) sum += factor_tokens(role);
  return sum;
}

std::int64_t Calibration::work() const {
  std::int64_t sum = 0;
  for (const Stage& stage : stages_) {
    if (stage.layer < 0 && stage.role == Role::embedding) continue;
    sum += tokens() + groups_.held_out_tokens() + factor_tokens(stage);
  }
  return sum;
}

// Factors need room, activations don't any more.
void Calibration::shrink() {
  float_.engine().shrink();
  for (const auto& output : outputs_) output->engine().shrink();
}

// A set of second moments goes as soon as its factor is there.
void Calibration::finish(Progress& progress) {
  shrink();
  while (!moments_.empty()) {
    const auto first = moments_.begin();
    std::vector<LayerInputs>& inputs = inputs_[first->first];
    if (options_.feedback) {
      inputs.emplace_back(std::move(first->second), std::vector<float>(),
                          options_for(model_.decoder, first->first, options_.method), team_);
      progress.advance(factor_tokens(first->first));
    } else {
      inputs.emplace_back(first->second);
    }
    moments_.erase(first);
  }
}

void Calibration::embed() {
  float_.embed();
  for (const auto& output : outputs_) output->embed();
}

void Calibration::run(Progress& progress, std::int64_t total) {
  inputs_.clear();
  samples_.clear();
  moments_.clear();
  ranges_.clear();
  const Stage& stage = stages_[static_cast<std::size_t>(++stage_)];
  if (stage.layer < 0 && stage.role == Role::embedding) return;
  if (stage.layer == 0 && (stage_ == 0 || stage.role == Role::query)) embed();
  progress.stage(title(), total + groups_.held_out_tokens(), "tokens");
  if (upstream()) {
    run_inputs(progress);
  } else if (stage.layer >= 0) {
    run_layer(progress);
  } else {
    run_head(progress);
  }
}

void Calibration::next(Progress& progress) {
  run(progress, tokens() + factor_tokens(stages_[static_cast<std::size_t>(stage_ + 1)]));
  finish(progress);
}

const std::map<Role, Moments>& Calibration::gather(Progress& progress) {
  run(progress, tokens());
  return moments_;
}

InputStatistics Calibration::of(const Weight& weight, std::size_t output) const {
  const TensorUse& use = weight.use;
  if (!has_inputs(model_.decoder, use) || stage_of(weight) != stage_) return {};
  return view_of(inputs_, input_role(model_.decoder, use.role), output);
}

SampledInputs Calibration::samples(const Weight& weight, std::size_t output) const {
  const TensorUse& use = weight.use;
  if (!has_inputs(model_.decoder, use) || stage_of(weight) != stage_) return {};
  return view_of(samples_, input_role(model_.decoder, use.role), output);
}

bool Calibration::may_break_behind(std::int64_t stage) const {
  const auto at = static_cast<std::size_t>(stage);
  return stages_[at].layer >= 0 && stages_[at + 1].layer != stages_[at].layer;
}

std::vector<Bytes> Calibration::state() {
  std::vector<Bytes> all = float_.state();
  for (const auto& output : outputs_) {
    for (const Bytes part : output->state()) all.push_back(part);
  }
  return all;
}

void Calibration::resume(std::int64_t stages, Bytes state) {
  embed();
  float_.resume(state);
  for (const auto& output : outputs_) output->resume(state);
  if (!state.empty()) throw Error("`resume`", "a state of another size");
  stage_ = stages - 1;
}

bool Calibration::wants(const Weight& weight) const {
  return upstream() && is_matrix(weight.use.role) && weight.use.part == Part::weight;
}

void Calibration::coded(const Weight& weight, std::size_t output, std::unique_ptr<RowReader> rows) {
  const std::int64_t layer = weight.use.layer;
  // Nothing comes back to a layer: when the next one's first weights are there, it is done with.
  // What stands outside the layers stays.
  std::erase_if(coded_[output], [&](const Coded& c) { return c.layer >= 0 && c.layer < layer; });
  outputs_[output]->engine().replace({layer, weight.use.role}, *rows);
  coded_[output].push_back({layer, std::move(rows)});
}

}  // namespace zp
