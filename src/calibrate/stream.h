// One model on its way through the calibration text: of all tokens the values from which the rest
// of the network can be computed.
//
// Windows go through together in groups. Weights may be replaced on the way, so that what comes
// behind them sees what they became.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/hash.h"
#include "calibrate/windows.h"
#include "engine/engine.h"

namespace zp {

/// Windows of a text, of equal length, and room for the keys and values of one group of them.
/// Behind the groups of the text's windows come those of windows that are held out of it.
class WindowGroups {
 public:
  /// windows: at least one; held_out: of the same length.
  WindowGroups(const Decoder& decoder, Windows windows, Windows held_out = {});

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
  std::int64_t tokens_of(std::int64_t group);
  std::vector<Chunk> chunks(std::int64_t group);
  void describe(Hash64& hash) const;
  /// Memory of the keys and values.
  std::int64_t bytes(const Decoder& decoder) const;

 private:
  Windows windows_;
  std::int64_t count_;     // of them not held out
  std::int64_t together_;  // windows
  std::vector<KvCache> caches_;
};

class Stream {
 public:
  /// Borrows all. Nothing is computed yet.
  Stream(const Model& model, WindowGroups& groups, const Team& team)
      : groups_(groups), engine_(model, team), held_(static_cast<std::size_t>(groups.all())) {}

  Engine& engine() { return engine_; }
  const Network& network() const { return engine_.network(); }

  /// Goes on from what is held to all of `held`, which is all it holds then. Gives those of `made`,
  /// which it computes on the way or holds.
  std::map<ValueId, Activations> go_on(std::int64_t group, std::span<const ValueId> made,
                                       std::span<const ValueId> held);
  /// The same for one value.
  Activations go_on(std::int64_t group, ValueId made, std::span<const ValueId> held);
  /// Computes a value from what is held, and holds it, too.
  Matrix hold(std::int64_t group, ValueId value);
  /// A value as it were with other rows of another one. Holds what it held.
  Activations with(std::int64_t group, ValueId other, Matrix rows, ValueId made);
  /// Goes on to one value.
  Activations go_on(std::int64_t group, ValueId value) { return go_on(group, value, {&value, 1}); }
  /// A value that is held.
  Matrix rows(std::int64_t group, ValueId value) const;

  /// Of every group these values, which are held.
  std::vector<Bytes> state(std::span<const ValueId> values) const;
  /// Takes them from the front of `state`, and holds nothing else. Throws Error when that is
  /// shorter.
  void resume(std::span<const ValueId> values, Bytes& state);

 private:
  struct Held {
    std::vector<float> floats;  // row after row: no more memory than that
    std::int64_t cols = 0;
    void take(Matrix rows);
    Matrix view() const {
      return {floats.data(), static_cast<std::int64_t>(floats.size()) / cols, cols};
    }
  };

  std::map<ValueId, Activations> given(std::int64_t group);
  /// What comes between leaves no buffers behind: another model's turn may come before this one's.
  std::map<ValueId, Activations> run(std::int64_t group, std::map<ValueId, Activations> given,
                                     std::span<const ValueId> wanted);

  WindowGroups& groups_;
  Engine engine_;
  std::vector<std::map<ValueId, Held>> held_;  // of each group
};

}  // namespace zp
