#include "engine/engine.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "kernel/elementary.h"

namespace zp {
namespace {

void check(const Decoder& decoder, const Chunk& chunk) {
  const std::int64_t length = chunk.cache->length() + static_cast<std::int64_t>(chunk.ids.size());
  const std::int64_t room = decoder.rope.dims == 0
                                ? std::min(decoder.context, chunk.cache->capacity())
                                : chunk.cache->capacity();
  if (length > room) {
    throw Error("sequence", "too long", "at most " + std::to_string(room) + " tokens",
                std::to_string(length));
  }
  for (const std::int32_t id : chunk.ids) {
    if (id >= 0 && id < decoder.vocabulary) continue;
    throw Error("sequence", "token is not in the vocabulary",
                "0 to " + std::to_string(decoder.vocabulary - 1), std::to_string(id));
  }
}

// The angle is rounded to FP32 before its cosine is taken, as every runtime does.
void add_angles(const Rope& rope, Floats frequencies, std::int64_t position, Batch& batch) {
  for (const float frequency : frequencies) {
    const float angle = static_cast<float>(position) * frequency;
    const SinCos turn = portable_sin_cos(static_cast<double>(angle));
    batch.cos.push_back(static_cast<float>(turn.cos * rope.attention_factor));
    batch.sin.push_back(static_cast<float>(turn.sin * rope.attention_factor));
  }
}

}  // namespace

Engine::Engine(const Model& model, const Team& team)
    : model_(model), team_(team), weights_(model) {}

Batch Engine::make_batch(std::span<const Chunk> chunks) const {
  Batch batch;
  for (const Chunk& chunk : chunks) {
    check(model_.decoder, chunk);
    const auto count = static_cast<std::int64_t>(chunk.ids.size());
    const std::int64_t first = chunk.cache->length();
    batch.runs.push_back({chunk.cache, static_cast<std::int64_t>(batch.ids.size()), count, first});
    batch.ids.insert(batch.ids.end(), chunk.ids.begin(), chunk.ids.end());
    for (std::int64_t i = 0; i < count; ++i)
      add_angles(model_.decoder.rope, chunk.cache->frequencies(), first + i, batch);
  }
  return batch;
}

Activations Engine::forward(std::span<const Chunk> chunks) {
  const Batch batch = make_batch(chunks);
  Compute compute(model_, weights_, team_, pool_, batch, observer_);
  Walk walk(model_, compute);
  Activations x = walk.embedding();
  for (std::int64_t layer = 0; layer < model_.decoder.layers; ++layer)
    x = walk.layer(layer, std::move(x));
  for (const Chunk& chunk : chunks)
    chunk.cache->length_ += static_cast<std::int64_t>(chunk.ids.size());
  return x;
}

template <class F>
Activations Engine::step(std::span<const Chunk> chunks, const F& walk) {
  const Batch batch = make_batch(chunks);
  Compute compute(model_, weights_, team_, pool_, batch, observer_);
  return walk(Walk(model_, compute));
}

Activations Engine::embed(std::span<const Chunk> chunks) {
  return step(chunks, [](auto walk) { return walk.embedding(); });
}

Activations Engine::layer(std::int64_t layer, Activations x, std::span<const Chunk> chunks) {
  return step(chunks, [&](auto walk) { return walk.layer(layer, std::move(x)); });
}

Activations Engine::half(std::int64_t layer, Role last, Activations x,
                         std::span<const Chunk> chunks) {
  return step(chunks, [&](auto walk) { return walk.half(layer, last, std::move(x)); });
}

Activations Engine::finish_half(std::int64_t layer, Role last, Activations x,
                                const Activations& read) {
  return step({}, [&](auto walk) { return walk.finish_half(layer, last, std::move(x), read); });
}

Activations Engine::inputs(std::int64_t layer, Role role, const Activations& x,
                           std::span<const Chunk> chunks) {
  return step(chunks, [&](auto walk) { return walk.inputs(layer, role, x); });
}

Activations Engine::head_inputs(const Activations& x) {
  return step({}, [&](auto walk) { return walk.head_inputs(x); });
}

Activations Engine::copy_of(Matrix rows) {
  Activations out = pool_.take(rows.rows, rows.cols);
  for (std::int64_t r = 0; r < rows.rows; ++r)
    std::ranges::copy(rows.row(r), out.view().row(r).begin());
  return out;
}

Activations Engine::logits(const Activations& hidden, std::int64_t begin, std::int64_t count) {
  Activations rows = copy_of(hidden.view().rows_from(begin, count));
  return step({}, [&](auto walk) { return walk.logits(std::move(rows)); });
}

}  // namespace zp
