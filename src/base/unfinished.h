// Outputs under way, under hidden names: ".NAME.partial-PID" beside NAME.
//
// Each is locked (flock) by its writer for as long as it is written, so a later writer of the same
// NAME can tell what a killed one left behind, and removes it. All of this process are known
// together, so that they can be given up at once.
#pragma once

#include <filesystem>
#include <mutex>

namespace zp {

/// Removes what writers of `path` that are gone have left beside it.
void remove_left_behind(const std::filesystem::path& path);

/// A hidden name that is taken: what stands there is removed at the end, unless it was named.
class Unfinished {
 public:
  /// For what will be `path`; removes what is left behind.
  explicit Unfinished(const std::filesystem::path& path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::filesystem::path& hidden() const { return hidden_; }
  /// Keeps others from removing it. REQUIRES: a file or folder stands at hidden().
  void lock();

 private:
  std::filesystem::path hidden_;
  int fd_ = -1;
};

/// While it lives outputs may be given their names, and nobody gives any up: those named under one
/// of these appear together or not at all. On one thread they may be nested.
class Naming {
 public:
  Naming();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// Waits for a Naming to end, then removes all that is unfinished. The process must end then: it
/// can't name or begin outputs any more.
void give_up_unfinished();

}  // namespace zp
