#include "calibrate/calibration.h"

#include <algorithm>
#include <string>

#include "base/checked.h"
#include "method/feedback.h"

namespace zp {
namespace {

constexpr std::int64_t kTokensTogether = 512;
constexpr std::int64_t kLogitFloats = 1 << 22;

std::int64_t length(const std::vector<std::vector<std::int32_t>>& windows) {
  return static_cast<std::int64_t>(windows.front().size());
}

}  // namespace

Calibration::Calibration(const Model& model, std::vector<std::vector<std::int32_t>> windows,
                         bool feedback, const Team& team)
    : model_(model),
      windows_(std::move(windows)),
      feedback_(feedback),
      team_(team),
      together_(std::clamp(kTokensTogether / length(windows_), std::int64_t{1},
                           static_cast<std::int64_t>(windows_.size()))),
      engine_(model, team) {
  engine_.observe([this](Matrix x, Place place) { see(x, place); });
}

std::int64_t Calibration::tokens() const {
  return static_cast<std::int64_t>(windows_.size()) * length(windows_);
}

// Some logits, and activations of one group beside the hidden states: at their widest about four of
// the MLP's and the heads' rows. Factors take the place of second moments one by one.
std::int64_t Calibration::bytes() const {
  const Decoder& d = model_.decoder;
  const std::int64_t group = together_ * length(windows_);
  const std::int64_t widest = std::max({d.hidden, d.heads * d.head_dim, d.ffn});
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  std::int64_t sum = checked_mul(tokens() * kFloat, d.hidden, "calibration");
  sum += 6 * group * widest * kFloat;
  sum += std::max(kLogitFloats, d.vocabulary) * kFloat;
  sum += together_ * KvCache::bytes(d, length(windows_));
  std::int64_t moments = 0;
  for (const std::int64_t columns : {d.hidden, d.heads * d.head_dim, d.hidden, d.ffn})
    moments += Moments::bytes(columns, feedback_);
  if (feedback_) moments += widest * widest * kFloat;
  return sum + moments;
}

Role Calibration::shared(Role role) const {
  switch (role) {
    case Role::key:
    case Role::value:
    case Role::qkv:
      return Role::query;
    case Role::up:
    case Role::gate:
    case Role::gate_up:
      return model_.decoder.parallel ? Role::query : Role::gate;
    default:
      return role;
  }
}

std::vector<Chunk> Calibration::chunks(std::int64_t group) {
  std::vector<Chunk> all;
  const std::int64_t first = group * together_;
  const std::int64_t end = std::min(first + together_, static_cast<std::int64_t>(windows_.size()));
  for (std::int64_t i = first; i < end; ++i) {
    all.push_back(
        {&caches_[static_cast<std::size_t>(i - first)], windows_[static_cast<std::size_t>(i)]});
  }
  return all;
}

void Calibration::see(Matrix x, Place place) {
  const Role role = shared(place.role);
  if (std::exchange(seen_[role], true)) return;
  moments_.try_emplace(role, x.cols, feedback_).first->second.add(x, team_);
}

void Calibration::enter() {
  for (std::int64_t i = 0; i < together_; ++i)
    caches_.push_back(engine_.make_cache(length(windows_)));
  const std::int64_t groups = ceil_div(static_cast<std::int64_t>(windows_.size()), together_);
  for (std::int64_t g = 0; g < groups; ++g) hidden_.push_back(engine_.embed(chunks(g)));
}

void Calibration::run_layer(Progress& progress) {
  progress.stage(
      "calibrate layer " + std::to_string(layer_ + 1) + " of " + std::to_string(layers()), tokens(),
      "tokens");
  for (std::size_t g = 0; g < hidden_.size(); ++g) {
    seen_.clear();
    hidden_[g] = engine_.layer(layer_, std::move(hidden_[g]), chunks(static_cast<std::int64_t>(g)));
    progress.advance(hidden_[g].rows());
  }
}

void Calibration::run_head(Progress& progress) {
  progress.stage("calibrate head", tokens(), "tokens");
  const std::int64_t step = std::max(kLogitFloats / model_.decoder.vocabulary, std::int64_t{1});
  for (const Activations& x : hidden_) {
    for (std::int64_t r = 0; r < x.rows(); r += step) {
      seen_.clear();
      const std::int64_t count = std::min(step, x.rows() - r);
      engine_.logits(x, r, count);
      progress.advance(count);
    }
  }
}

// A set of second moments goes as soon as its factor is there.
void Calibration::finish() {
  while (!moments_.empty()) {
    const auto first = moments_.begin();
    Inputs& inputs = inputs_[first->first];
    inputs.importance = first->second.importance();
    if (feedback_) inputs.factor = feedback_factor(first->second.h(), team_);
    moments_.erase(first);
  }
}

void Calibration::next(Progress& progress) {
  inputs_.clear();
  if (layer_ < 0) enter();
  if (++layer_ < layers()) {
    run_layer(progress);
  } else {
    run_head(progress);
  }
  finish();
}

InputStatistics Calibration::of(const Weight& weight) const {
  const TensorUse& use = weight.use;
  if (use.part == Part::bias || !is_matrix(use.role)) return {};
  if (use.layer != (layer_ < layers() ? layer_ : -1)) return {};
  const auto found = inputs_.find(shared(use.role));
  if (found == inputs_.end()) return {};
  InputStatistics out;
  out.importance = found->second.importance;
  if (!found->second.factor.empty())
    out.feedback = Matrix(found->second.factor.data(), use.cols, use.cols);
  return out;
}

}  // namespace zp
