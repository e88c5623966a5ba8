// What a model's linear layers see on a text.
//
// The float model goes over the text layer by layer: of all tokens what leaves a layer is kept, and
// of one layer at a time the statistics of its linears' inputs. Linears that read the same input
// (query, key and value; gate and up) share one set. An embedding that is the head
// too has the head's; any other is looked up, not multiplied, and has none.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/progress.h"
#include "calibrate/moments.h"
#include "engine/engine.h"
#include "method/method.h"

namespace zp {

class Calibration {
 public:
  /// Borrows the model and the team. windows: of equal length, at least one. feedback: whether
  /// InputStatistics::feedback is asked for. Nothing runs yet.
  Calibration(const Model& model, std::vector<std::vector<std::int32_t>> windows, bool feedback,
              const Team& team);

  std::int64_t layers() const { return model_.decoder.layers; }
  std::int64_t tokens() const;
  /// Memory it takes at most.
  std::int64_t bytes() const;

  /// The next layer, from 0 on: runs it, and forgets the statistics of the one before. Behind the
  /// last layer the head.
  void next(Progress& progress);
  /// Of the layer that ran last; all empty for weights outside it. Valid until next().
  InputStatistics of(const Weight& weight) const;

 private:
  struct Inputs {
    std::vector<float> importance;
    std::vector<float> factor;
  };

  std::vector<Chunk> chunks(std::int64_t group);
  Role shared(Role role) const;
  void see(Matrix x, Place place);
  void enter();
  void run_layer(Progress& progress);
  void run_head(Progress& progress);
  void finish();

  const Model& model_;
  std::vector<std::vector<std::int32_t>> windows_;
  bool feedback_;
  const Team& team_;
  std::int64_t together_;  // windows that go through a layer at a time: a group
  Engine engine_;
  std::vector<KvCache> caches_;
  std::vector<Activations> hidden_;  // of each group; declared behind the engine, whose they are
  std::int64_t layer_ = -1;
  std::map<Role, Moments> moments_;
  std::map<Role, bool> seen_;  // in the group under way
  std::map<Role, Inputs> inputs_;
};

}  // namespace zp
