// How a job runs: its threads, what it says of itself, and how it is stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "zeropoint/export.h"

namespace zeropoint {

/// Told how far a job is. Calls may come from any thread, several at once; what they throw ends the
/// job and comes out of it.
class ZEROPOINT_API Progress {
 public:
  virtual ~Progress();
  /// A stage of `total` units begins, and the one before is over. unit: "B", "tokens", "weights" ...
  virtual void stage(std::string_view name, std::int64_t total, std::string_view unit) = 0;
  /// So many units of the stage are done, beside those before.
  virtual void advance(std::int64_t units) = 0;
  /// A line for people: what is read otherwise than they may think, what could be better.
  virtual void remark(std::string_view line);
};

/// Asks jobs to stop. They throw Cancelled soon, and leave nothing half-written.
class ZEROPOINT_API Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  /// From any thread, and from signal handlers.
  void ask() noexcept;
  bool asked() const noexcept;

 private:
  friend class Running;
  struct State;
  std::unique_ptr<State> state_;
};

/// Results don't depend on any of it.
struct Work {
  int threads = 0;                             ///< 0: one for each core that the process may use
  Progress* progress = nullptr;                ///< borrowed; nullptr: nobody is told
  const Cancellation* cancellation = nullptr;  ///< borrowed; nullptr: nobody cancels
};

}  // namespace zeropoint
