#include "calibrate/stream.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kTokensTogether = 512;

}  // namespace

WindowGroups::WindowGroups(const Decoder& decoder, std::vector<std::vector<std::int32_t>> windows,
                           std::vector<std::vector<std::int32_t>> held_out)
    : windows_(std::move(windows)),
      count_(std::ssize(windows_)),
      together_(std::clamp(kTokensTogether / length(), std::int64_t{1}, count_)) {
  std::ranges::move(held_out, std::back_inserter(windows_));
  for (std::int64_t i = 0; i < together_; ++i)
    caches_.push_back(KvCache::of_one_layer(decoder, length()));
}

std::int64_t WindowGroups::held_out_tokens() const {
  return std::ssize(windows_) * length() - tokens();
}

std::int64_t WindowGroups::count() const { return ceil_div(count_, together_); }

std::int64_t WindowGroups::all() const {
  return count() + ceil_div(std::ssize(windows_) - count_, together_);
}

std::int64_t WindowGroups::together() const { return together_ * length(); }

std::vector<Chunk> WindowGroups::chunks(std::int64_t group) {
  std::vector<Chunk> all;
  const bool held_out = group >= count();
  const std::int64_t first = held_out ? count_ + (group - count()) * together_ : group * together_;
  const std::int64_t end = std::min(first + together_, held_out ? std::ssize(windows_) : count_);
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
  return together_ * KvCache::layer_bytes(decoder, length());
}

void Stream::embed() {
  hidden_.clear();
  kept_.assign(static_cast<std::size_t>(groups_.all()), {});
  for (std::int64_t g = 0; g < groups_.all(); ++g)
    hidden_.push_back(engine_.embed(groups_.chunks(g)));
}

void Stream::layer(std::int64_t layer, std::int64_t group) {
  hidden(group) = engine_.layer(layer, std::move(hidden(group)), groups_.chunks(group));
}

void Stream::half(std::int64_t layer, Role last, std::int64_t group) {
  std::vector<float> kept = std::exchange(kept_[static_cast<std::size_t>(group)], {});
  if (kept.empty()) {
    hidden(group) = engine_.half(layer, last, std::move(hidden(group)), groups_.chunks(group));
    return;
  }
  const std::int64_t rows = hidden(group).rows();
  const Matrix read(kept.data(), rows, std::ssize(kept) / rows);
  finish_half(layer, last, group, engine_.copy_of(read));
}

void Stream::finish_half(std::int64_t layer, Role last, std::int64_t group,
                         const Activations& read) {
  hidden(group) = engine_.finish_half(layer, last, std::move(hidden(group)), read);
}

void Stream::keep(std::int64_t group, Matrix read) {
  std::vector<float>& kept = kept_[static_cast<std::size_t>(group)];
  kept.reserve(static_cast<std::size_t>(read.rows * read.cols));
  for (std::int64_t r = 0; r < read.rows; ++r)
    kept.insert(kept.end(), read.row(r).begin(), read.row(r).end());
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
      if (state.size() < row.size_bytes()) throw Error("`resume`", "a state of another size");
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
