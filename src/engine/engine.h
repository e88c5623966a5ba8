// Runs a model: tokens in, logits out.
//
// Weights are read from where they are stored and decoded tile by tile, so memory is the KV caches
// and the activations of the tokens that go through together. A token's logits have the same bits
// for every number of threads, on every instruction set, and whatever other tokens are in the call.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/parallel.h"
#include "engine/compute.h"
#include "engine/kv_cache.h"

namespace zp {

/// Tokens that continue a sequence.
struct Chunk {
  KvCache* cache = nullptr;
  std::span<const std::int32_t> ids;
};

/// Borrows the model and the team. One call at a time.
class Engine {
 public:
  Engine(const Model& model, const Team& team);

  const Model& model() const { return model_; }
  KvCache make_cache(std::int64_t capacity, KvType type = KvType::fp32) const {
    return {model_.decoder, capacity, type};
  }

  /// What leaves the last layer, one row per token, chunk after chunk; the caches grow by the
  /// chunks. Each cache stands in at most one chunk. Throws Error for ids that aren't in the
  /// vocabulary, and for more tokens than a cache, or the model's learned positions, have room for.
  Activations forward(std::span<const Chunk> chunks);
  /// The logits of rows [begin, begin + count) of what forward() gave: count x vocabulary.
  Activations logits(const Activations& hidden, std::int64_t begin, std::int64_t count);

  /// forward() in steps, for who goes through the network layer by layer: what enters the first
  /// layer, and one layer. The caches must be empty and stay so: `layer` writes its keys and values
  /// over those of the sequence that used them before.
  Activations embed(std::span<const Chunk> chunks);
  Activations layer(std::int64_t layer, Activations x, std::span<const Chunk> chunks);
  /// A layer in steps, see Walk.
  Activations half(std::int64_t layer, Role last, Activations x, std::span<const Chunk> chunks);
  Activations finish_half(std::int64_t layer, Role last, Activations x, const Activations& read);
  Activations inputs(std::int64_t layer, Role role, const Activations& x,
                     std::span<const Chunk> chunks);
  Activations head_inputs(const Activations& x);
  /// Rows in a buffer of the engine's.
  Activations copy_of(Matrix rows);
  /// Gives back what memory is only there to be used again.
  void shrink() noexcept { pool_.shrink(); }
  /// From now on reads that matrix from `rows`, which must outlive the engine, or until it is
  /// replaced again.
  void replace(Place place, const RowReader& rows) { weights_.replace(place, rows); }
  /// From now on sees what enters every linear layer.
  void observe(LinearObserver observer) { observer_ = std::move(observer); }

 private:
  Batch make_batch(std::span<const Chunk> chunks) const;
  /// walk(Walk) over the chunks' tokens.
  template <class F>
  Activations step(std::span<const Chunk> chunks, const F& walk);

  const Model& model_;
  const Team& team_;
  PlacedWeights weights_;
  BufferPool pool_;
  LinearObserver observer_;
};

}  // namespace zp
