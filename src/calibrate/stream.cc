#include "calibrate/stream.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kTokensTogether = 512;

}  // namespace

WindowGroups::WindowGroups(const Decoder& decoder, std::vector<std::vector<std::int32_t>> windows)
    : windows_(std::move(windows)),
      together_(std::clamp(kTokensTogether / length(), std::int64_t{1},
                           static_cast<std::int64_t>(windows_.size()))) {
  for (std::int64_t i = 0; i < together_; ++i) caches_.emplace_back(decoder, length());
}

std::int64_t WindowGroups::tokens() const {
  return static_cast<std::int64_t>(windows_.size()) * length();
}

std::int64_t WindowGroups::count() const {
  return ceil_div(static_cast<std::int64_t>(windows_.size()), together_);
}

std::int64_t WindowGroups::together() const { return together_ * length(); }

std::vector<Chunk> WindowGroups::chunks(std::int64_t group) {
  std::vector<Chunk> all;
  const std::int64_t first = group * together_;
  const std::int64_t end = std::min(first + together_, static_cast<std::int64_t>(windows_.size()));
  for (std::int64_t i = first; i < end; ++i) {
    all.push_back(
        {&caches_[static_cast<std::size_t>(i - first)], windows_[static_cast<std::size_t>(i)]});
  }
  return all;
}

void WindowGroups::describe(Hash64& hash) const {
  for (const auto& window : windows_) hash.add(std::as_bytes(std::span(window)));
}

std::int64_t WindowGroups::bytes(const Decoder& decoder) const {
  return together_ * KvCache::bytes(decoder, length());
}

void Stream::embed() {
  hidden_.clear();
  for (std::int64_t g = 0; g < groups_.count(); ++g)
    hidden_.push_back(engine_.embed(groups_.chunks(g)));
}

void Stream::layer(std::int64_t layer, std::int64_t group) {
  hidden(group) = engine_.layer(layer, std::move(hidden(group)), groups_.chunks(group));
}

void Stream::attention_half(std::int64_t layer, std::int64_t group) {
  hidden(group) = engine_.attention_half(layer, std::move(hidden(group)), groups_.chunks(group));
}

void Stream::mlp_half(std::int64_t layer, std::int64_t group) {
  hidden(group) = engine_.mlp_half(layer, std::move(hidden(group)));
}

std::vector<Bytes> Stream::state() {
  std::vector<Bytes> all;
  for (Activations& x : hidden_) {
    for (std::int64_t r = 0; r < x.rows(); ++r)
      all.push_back(std::as_bytes(std::span(x.view().row(r))));
  }
  return all;
}

void Stream::resume(Bytes& state) {
  for (Activations& x : hidden_) {
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const std::span<float> row = x.view().row(r);
      if (state.size() < row.size_bytes()) throw Error("--resume", "a state of another size");
      std::memcpy(row.data(), state.data(), row.size_bytes());
      state = state.subspan(row.size_bytes());
    }
  }
}

Activations Stream::inputs(std::int64_t layer, Role role, std::int64_t group) {
  if (role == Role::head) return engine_.head_inputs(hidden(group));
  return engine_.inputs(layer, role, hidden(group), groups_.chunks(group));
}

}  // namespace zp
