// What long work says of itself. The library only calls this; the command line draws it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zp {

/// What a job will have to do in all its stages whose names begin with `stage`.
struct Work {
  std::string stage;
  double amount = 0;            ///< of these stages' units
  double seconds_per_unit = 0;  ///< a guess, until some of it is measured
};

/// Calls may come from any thread. All but expect() may throw Cancelled.
class Progress {
 public:
  virtual ~Progress() = default;
  /// The whole job, in the order in which it comes. REQUIRES: no stage has begun.
  virtual void expect(std::vector<Work>) {}
  /// A stage of `total` units of work begins; `unit` names them ("B" for bytes, "tokens").
  virtual void stage(std::string_view name, std::int64_t total, std::string_view unit) = 0;
  virtual void advance(std::int64_t amount) = 0;
  /// A line for people, about what is done just now.
  virtual void remark(std::string_view) {}
  /// What is lost, or how to go on, where the work is interrupted from now on: for people, and with
  /// a lifetime of its own.
  virtual void when_interrupted(const char*) {}
};

/// Says nothing.
class Silent final : public Progress {
 public:
  void stage(std::string_view, std::int64_t, std::string_view) override {}
  void advance(std::int64_t) override {}
};

}  // namespace zp
