// One rendering of a template: what it may spend, where it is, and the values it makes.
//
// Templates come from files and are not trusted. Everything that costs time or memory goes through
// step() and charge(), and every recursion through Depth, so that a hostile template ends with one
// line. Charged bytes are never given back: a bound on the sum is a bound on what is alive.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jinja/value.h"

namespace zp::jinja {

inline constexpr std::int64_t kMaxTemplateBytes = 1 << 20;  ///< source of one template
inline constexpr std::size_t kMaxArguments = 1000;          ///< of one call, or macro
inline constexpr std::size_t kMaxBranchNames = 100'000;     ///< variables known, over all branches
inline constexpr int kMaxNodeDepth = 150;                   ///< nesting in the source
inline constexpr std::int64_t kMaxSteps = 10'000'000;       ///< nodes run, or 64 bytes looked at
inline constexpr std::int64_t kMaxOutputBytes = 64 << 20;   ///< text of one rendering, and no more
inline constexpr std::int64_t kOutputBytes = 1 << 20;      ///< ... than this and so many times what
inline constexpr std::int64_t kOutputTimes = 16;           ///< the template was given
inline constexpr std::int64_t kMaxValueBytes = 256 << 20;  ///< sum of all values ever made
inline constexpr int kMaxRunDepth = 800;                   ///< nodes inside nodes, through macros
inline constexpr int kMaxValueDepth = 100;                 ///< lists in lists
inline constexpr std::int64_t kMaxRange = 100'000;         ///< jinja2's own bound for range()

class Scope;

class Run {
 public:
  Run(std::string where, std::time_t now_seconds, std::shared_ptr<Scope> globals);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[noreturn]] void fail(std::string what, std::string expected = {}, std::string found = {}) const;
  /// Counts work; `bytes` are those that were looked at.
  void step(std::int64_t bytes = 0) {
    steps_ += 1 + bytes / 64;
    if (steps_ > kMaxSteps) too_many_steps();
  }
  void charge(std::int64_t bytes);
  /// From now on write() goes to `text`, which is bounded by the values made before.
  void begin_output(std::string& text);
  void write(std::string_view text);

  // Values, charged.
  Value text(std::string text, bool markup = false);
  Value list(Values items, Kind kind = Kind::kList);
  Value dict(Items items);
  Value object(Kind kind, std::shared_ptr<Object> object);
  Value undefined(std::string why);

  /// Holds what could be part of a cycle; ~Run empties it.
  void keep(std::shared_ptr<Cyclic> object);

  int line = 1;
  int depth = 0;
  std::time_t now;             ///< what strftime_now() takes for now, as seconds since 1970 in UTC
  std::string* out = nullptr;  ///< where write() goes: the text, or a block being caught
  std::shared_ptr<Scope> scope;

 private:
  [[noreturn]] void too_many_steps() const;
  std::string where_;
  std::int64_t steps_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t most_output_ = kMaxOutputBytes;
  std::vector<std::shared_ptr<Cyclic>> kept_;
};

/// One level of recursion, refused beyond kMaxRunDepth.
class Depth {
 public:
  explicit Depth(Run& run) : run_(run) {
    if (run.depth >= kMaxRunDepth) run.fail("nested too deeply while it runs");
    ++run.depth;
  }
  ~Depth() { --run_.depth; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Run& run_;
};

/// Variables of a block and, through `parent`, of those around it. A name's last value wins.
class Scope : public Cyclic {
 public:
  explicit Scope(std::shared_ptr<Scope> parent) : parent_(std::move(parent)) {}
  /// Null when no scope has it.
  const Value* find(Run& run, const std::string& name) const;
  void set(Run& run, const std::string& name, Value value);
  void clear() override;

 private:
  std::vector<std::pair<std::string, Value>> variables_;
  std::shared_ptr<Scope> parent_;
};

/// The scope of a block, for as long as this lives.
class InnerScope {
 public:
  explicit InnerScope(Run& run) : InnerScope(run, run.scope) {}
  InnerScope(Run& run, std::shared_ptr<Scope> parent) : run_(run), before_(run.scope) {
    run.charge(96);
    run.scope = std::make_shared<Scope>(std::move(parent));
  }
  ~InnerScope() { run_.scope = std::move(before_); }
  InnerScope(const InnerScope&) = delete;
  InnerScope& operator=(const InnerScope&) = delete;

 private:
  Run& run_;
  std::shared_ptr<Scope> before_;
};

/// Catches what is written while it lives.
class Capture {
 public:
  explicit Capture(Run& run);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  std::string text;

 private:
  Run& run_;
  std::string* before_;
};

}  // namespace zp::jinja
