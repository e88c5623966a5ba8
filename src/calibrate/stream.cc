#include "calibrate/stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace zp {
namespace {

constexpr std::int64_t kTokensTogether = 512;

}  // namespace

WindowGroups::WindowGroups(const Decoder& decoder, Windows windows, Windows held_out)
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

std::int64_t WindowGroups::tokens_of(std::int64_t group) {
  return std::ssize(chunks(group)) * length();
}

void Stream::Held::take(Matrix rows) {
  cols = rows.cols;
  floats.clear();
  floats.reserve(static_cast<std::size_t>(rows.rows * rows.cols));
  for (std::int64_t r = 0; r < rows.rows; ++r)
    floats.insert(floats.end(), rows.row(r).begin(), rows.row(r).end());
}

std::map<ValueId, Activations> Stream::given(std::int64_t group) {
  std::map<ValueId, Activations> all;
  for (const auto& [value, rows] : held_[static_cast<std::size_t>(group)])
    all.emplace(value, engine_.copy_of(rows.view()));
  return all;
}

std::map<ValueId, Activations> Stream::run(std::int64_t group, std::map<ValueId, Activations> given,
                                           std::span<const ValueId> wanted) {
  auto values = engine_.run(groups_.chunks(group), std::move(given), wanted);
  engine_.shrink();
  return values;
}

std::map<ValueId, Activations> Stream::go_on(std::int64_t group, std::span<const ValueId> made,
                                             std::span<const ValueId> held) {
  std::vector<ValueId> wanted(held.begin(), held.end());
  wanted.insert(wanted.end(), made.begin(), made.end());
  auto values = run(group, given(group), wanted);
  std::map<ValueId, Held>& before = held_[static_cast<std::size_t>(group)];
  std::map<ValueId, Held> now;
  for (const ValueId value : held) {
    if (auto node = before.extract(value)) {
      now.insert(std::move(node));
      continue;
    }
    now[value].take(std::as_const(values.at(value)).view());
  }
  before = std::move(now);
  return values;
}

Activations Stream::go_on(std::int64_t group, ValueId made, std::span<const ValueId> held) {
  return std::move(go_on(group, {&made, 1}, held).at(made));
}

Matrix Stream::hold(std::int64_t group, ValueId value) {
  const auto values = run(group, given(group), {&value, 1});
  Held& kept = held_[static_cast<std::size_t>(group)][value];
  kept.take(values.at(value).view());
  return kept.view();
}

Activations Stream::with(std::int64_t group, ValueId other, Matrix rows, ValueId made) {
  auto values = given(group);
  // Rows that are held of experts are those of the routes that these take the place of.
  std::erase_if(values, [&](const auto& held) { return network().steps[held.first].by_expert; });
  values.insert_or_assign(other, engine_.copy_of(rows));
  return std::move(run(group, std::move(values), {&made, 1}).at(made));
}

Matrix Stream::rows(std::int64_t group, ValueId value) const {
  return held_[static_cast<std::size_t>(group)].at(value).view();
}

std::vector<Bytes> Stream::state(std::span<const ValueId> values) const {
  std::vector<Bytes> all;
  for (const auto& held : held_) {
    for (const ValueId value : values)
      all.push_back(std::as_bytes(std::span(held.at(value).floats)));
  }
  return all;
}

void Stream::resume(std::span<const ValueId> values, Bytes& state) {
  for (std::int64_t g = 0; g < groups_.all(); ++g) {
    held_[static_cast<std::size_t>(g)].clear();
    std::int64_t rows = 0;
    for (const Chunk& chunk : groups_.chunks(g)) rows += std::ssize(chunk.ids);
    for (const ValueId value : values) {
      const std::int64_t cols = network().steps[value].width;
      const std::int64_t all = rows * network().steps[value].rows;
      Held held{std::vector<float>(static_cast<std::size_t>(all * cols)), cols};
      const std::span<std::byte> bytes = std::as_writable_bytes(std::span(held.floats));
      if (state.size() < bytes.size()) throw Error("`resume`", "a state of another size");
      std::ranges::copy(state.first(bytes.size()), bytes.begin());
      state = state.subspan(bytes.size());
      held_[static_cast<std::size_t>(g)].emplace(value, std::move(held));
    }
  }
}

}  // namespace zp
