#include "engine/engine.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "kernel/elementary.h"
#include "model/interpreter.h"

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
void add_angles(const RotaryFactors& factors, std::int64_t position, Batch::Turns& turns) {
  for (const float frequency : factors.frequencies) {
    const float angle = static_cast<float>(position) * frequency;
    const SinCos turn = portable_sin_cos(static_cast<double>(angle));
    turns.cos.push_back(static_cast<float>(turn.cos * factors.attention_factor));
    turns.sin.push_back(static_cast<float>(turn.sin * factors.attention_factor));
  }
}

}  // namespace

Engine::Engine(const Model& model, const Team& team)
    : model_(model), team_(team), network_(record(model)), weights_(model) {}

Batch Engine::make_batch(std::span<const Chunk> chunks) const {
  Batch batch;
  for (const Chunk& chunk : chunks) {
    check(model_.decoder, chunk);
    const auto count = static_cast<std::int64_t>(chunk.ids.size());
    const std::int64_t first = chunk.cache->length();
    batch.runs.push_back({chunk.cache, static_cast<std::int64_t>(batch.ids.size()), count, first});
    batch.ids.insert(batch.ids.end(), chunk.ids.begin(), chunk.ids.end());
    for (std::int64_t i = first; i < first + count; ++i) {
      add_angles(chunk.cache->rotary(RopeKind::global), i, batch.global);
      add_angles(chunk.cache->rotary(RopeKind::local), i, batch.local);
    }
  }
  return batch;
}

std::map<ValueId, Activations> Engine::run(std::span<const Chunk> chunks,
                                           std::map<ValueId, Activations> given,
                                           std::span<const ValueId> wanted) {
  const Batch batch = make_batch(chunks);
  Compute compute(model_, weights_, team_, pool_, batch);
  return Interpreter(network_, compute).run(std::move(given), wanted);
}

Activations Engine::run(std::span<const Chunk> chunks, ValueId from, Activations given,
                        ValueId wanted) {
  std::map<ValueId, Activations> values;
  values.emplace(from, std::move(given));
  return std::move(run(chunks, std::move(values), {&wanted, 1}).at(wanted));
}

std::map<ValueId, Activations> Engine::backward(std::span<const Chunk> chunks,
                                                const std::map<ValueId, Activations>& values,
                                                std::map<ValueId, Activations> gradients,
                                                ValueId first, ValueId end,
                                                WeightGradients& of_weights) {
  const Batch batch = make_batch(chunks);
  return Backward(model_.decoder, network_, weights_, team_, pool_, batch, values, of_weights)
      .run(std::move(gradients), first, end);
}

Activations Engine::forward(std::span<const Chunk> chunks) {
  const ValueId hidden = network_.hidden();
  Activations x = std::move(run(chunks, {}, {&hidden, 1}).at(hidden));
  for (const Chunk& chunk : chunks)
    chunk.cache->length_ += static_cast<std::int64_t>(chunk.ids.size());
  return x;
}

Activations Engine::logits(Matrix hidden) {
  return run({}, network_.hidden(), copy_of(hidden), network_.logits());
}

Activations Engine::embed(std::span<const Chunk> chunks) {
  const ValueId first = network_.layers.front().enters;
  return std::move(run(chunks, {}, {&first, 1}).at(first));
}

Activations Engine::layer(std::int64_t layer, Activations x, std::span<const Chunk> chunks) {
  const LayerValues& values = network_.layers[static_cast<std::size_t>(layer)];
  return run(chunks, values.enters, std::move(x), values.leaves);
}

}  // namespace zp
