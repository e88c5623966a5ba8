// Work shared over threads.
//
// A Team is made once by the pipeline and passed down; there is no global pool to configure. The
// order in which parts run is open, so every part must write its own place: results then don't
// depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/cancellation.h"

namespace zp {

class Team {
 public:
  /// threads <= 0: one for each core this process may use. cancellation: looked at before every
  /// part, and borrowed; nullptr: nobody cancels.
  explicit Team(int threads = 0, const Cancellation* cancellation = nullptr);
  ~Team();

  int threads() const { return threads_; }
  /// Calls part(i) for i in [0, parts), each once, begun in ascending order (neighbours read
  /// neighbouring bytes); rethrows the first exception after all stopped, Cancelled among them.
  /// While one run goes on, another (a part's own, or another thread's) stays on its own thread.
  void run(std::int64_t parts, const std::function<void(std::int64_t)>& part) const;

 private:
  class Pool;
  int threads_;
  const Cancellation* cancellation_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace zp
