// Asking long work to stop.
//
// Whoever starts work keeps a Cancellation and gives it to the Team and the Progress that the work
// gets. Both throw Cancelled where they are used next once it is asked for, so nobody else has to
// look.
#pragma once

#include <atomic>

namespace zp {

/// No std::exception: who catches errors doesn't catch this.
struct Cancelled {};

class Cancellation {
 public:
  /// From any thread, and from signal handlers.
  void ask() noexcept { asked_.store(true, std::memory_order_relaxed); }
  /// When what was asked has been done, and other work may go on.
  void forget() noexcept { asked_.store(false, std::memory_order_relaxed); }
  bool asked() const noexcept { return asked_.load(std::memory_order_relaxed); }
  void check() const {
    if (asked()) throw Cancelled();
  }

 private:
  std::atomic<bool> asked_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers may use it");
};

}  // namespace zp
