// How far a job is and how long it will take: from what it expects to do and what that took so far.
//
// Work of one kind goes on at the rate it had; work that has not begun is taken to be as much off
// its guess as all that is measured was off its own. Time in which nothing came to an end is part
// of what ends next: until then it is taken from what the stage has left, and changes no rate.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"

namespace zp {

/// Times are seconds from any fixed moment on, never less than before.
class Estimate {
 public:
  void expect(std::vector<Work> job);
  /// A stage of `total` units begins. A name that no expected work begins with is work of its own.
  void stage(std::string_view name, double total, double now);
  void advance(double amount, double now);

  /// Empty before the first stage.
  const std::string& stage_name() const { return name_; }
  /// Of the whole job, 0 to 1, by time.
  double share() const;
  /// Of the whole job; nothing where nothing is known yet.
  std::optional<double> seconds_left() const;
  /// Units a second in this stage.
  double rate() const;

 private:
  struct Kind {
    Work work;
    double done = 0;
    double seconds = 0;
    bool over = false;

    double left() const { return over ? 0 : work.amount - done; }
  };
  std::size_t kind_of(std::string_view name);
  double seconds_per_unit(const Kind& kind) const;

  std::vector<Kind> kinds_;
  std::size_t current_ = 0;
  std::string name_;
  double stage_total_ = 0;
  double stage_done_ = 0;
  double stage_begin_ = 0;
  double now_ = 0;
  double waiting_ = 0;  // seconds in this stage since something came to an end
};

}  // namespace zp
