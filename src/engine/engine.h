// Runs a model: tokens in, logits out.
//
// Weights are read from where they are stored and decoded tile by tile, so memory is the KV caches
// and the activations of the tokens that go through together. A token's logits have the same bits
// for every number of threads, on every instruction set, and whatever other tokens are in the call.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "base/parallel.h"
#include "engine/backward.h"
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
  /// The logits of rows of what forward() gave: one row of the vocabulary each.
  Activations logits(Matrix hidden);

  /// What the engine's model computes, in steps.
  const Network& network() const { return network_; }
  /// Some values of it, computed from some that are given: one row per token of the chunks. Those
  /// that are given and wanted stay as they are. The caches, of one layer or of all, stay empty:
  /// attention writes its keys and values over those of the sequence that used them before.
  /// REQUIRES: the caches are empty.
  std::map<ValueId, Activations> run(std::span<const Chunk> chunks,
                                     std::map<ValueId, Activations> given,
                                     std::span<const ValueId> wanted);
  /// The same for one value each.
  Activations run(std::span<const Chunk> chunks, ValueId from, Activations given, ValueId wanted);
  /// What gradients of values made before `end` say of those that steps [first, end) read and don't
  /// make, and of weights (backward.h). values: all that these steps read or make, as run() gives them.
  /// REQUIRES: as run().
  std::map<ValueId, Activations> backward(std::span<const Chunk> chunks,
                                          const std::map<ValueId, Activations>& values,
                                          std::map<ValueId, Activations> gradients, ValueId first,
                                          ValueId end, WeightGradients& of_weights);
  /// What enters the first layer.
  Activations embed(std::span<const Chunk> chunks);
  Activations layer(std::int64_t layer, Activations x, std::span<const Chunk> chunks);
  /// Rows in a buffer of the engine's.
  Activations copy_of(Matrix rows) { return pool_.copy_of(rows); }
  /// Gives back what memory is only there to be used again.
  void shrink() noexcept { pool_.shrink(); }
  /// From now on reads that matrix from `rows`, which must outlive the engine, or until it is
  /// replaced again.
  void replace(Place place, const RowReader& rows) { weights_.replace(place, rows); }
  /// From now on adds to what that matrix gives what the adapter does, which must outlive the engine.
  void adapt(Place place, const LowRank& adapter) { weights_.adapt(place, adapter); }

 private:
  Batch make_batch(std::span<const Chunk> chunks) const;

  const Model& model_;
  const Team& team_;
  Network network_;
  PlacedWeights weights_;
  BufferPool pool_;
};

}  // namespace zp
