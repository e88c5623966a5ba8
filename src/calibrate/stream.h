// One model on its way through the calibration text: of all tokens what leaves the layer it is at.
//
// Windows go through together in groups. Weights may be replaced on the way, so that what comes
// behind them sees what they became.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "engine/engine.h"

namespace zp {

/// Windows of a text, of equal length, and room for the keys and values of one group of them.
/// Behind the groups of the text's windows come those of windows that are held out of it.
class WindowGroups {
 public:
  /// windows: at least one; held_out: of the same length.
  WindowGroups(const Decoder& decoder, std::vector<std::vector<std::int32_t>> windows,
               std::vector<std::vector<std::int32_t>> held_out = {});

  /// Of the windows that are not held out.
  std::int64_t tokens() const { return count_ * length(); }
  std::int64_t held_out_tokens() const;
  /// Tokens of a window.
  std::int64_t length() const { return static_cast<std::int64_t>(windows_.front().size()); }
  /// Groups of windows that are not held out.
  std::int64_t count() const;
  /// All groups.
  std::int64_t all() const;
  /// Tokens of a group at most.
  std::int64_t together() const;
  std::vector<Chunk> chunks(std::int64_t group);
  void describe(Hash64& hash) const;
  /// Memory of the keys and values.
  std::int64_t bytes(const Decoder& decoder) const;

 private:
  std::vector<std::vector<std::int32_t>> windows_;
  std::int64_t count_;     // of them not held out
  std::int64_t together_;  // windows
  std::vector<KvCache> caches_;
};

class Stream {
 public:
  /// Borrows all.
  Stream(const Model& model, WindowGroups& groups, const Team& team)
      : groups_(groups), engine_(model, team) {}

  Engine& engine() { return engine_; }
  Activations& hidden(std::int64_t group) { return hidden_[static_cast<std::size_t>(group)]; }

  void embed();
  void layer(std::int64_t layer, std::int64_t group);
  /// See Walk. What the last linear reads comes from where it was kept.
  void half(std::int64_t layer, Role last, std::int64_t group);
  void finish_half(std::int64_t layer, Role last, std::int64_t group, const Activations& read);
  /// See Walk; for Role::head what the head reads.
  Activations inputs(std::int64_t layer, Role role, std::int64_t group);
  /// What the last linear of the next half() reads.
  void keep(std::int64_t group, Matrix read);

  /// The hidden states, row after row.
  std::vector<Bytes> state();
  /// Takes them from the front of `state`. Throws Error when that is shorter.
  void resume(Bytes& state);

 private:
  WindowGroups& groups_;
  Engine engine_;
  std::vector<std::vector<float>> kept_;  // of each group, while it waits
  std::vector<Activations> hidden_;       // declared behind the engine, whose they are
};

}  // namespace zp
