// Jobs from Python: they run on a thread of their own, without the interpreter's lock. The thread that
// called waits, hands on what progress there was, and lets Python look for Ctrl-C.
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/error.h"
#include "zeropoint/work.h"

namespace zeropoint_python {

namespace nb = nanobind;

/// Keeps what a job says until it is asked for.
class Relay final : public zeropoint::Progress {
 public:
  struct Event {
    enum class Kind { stage, advance, remark };
    Kind kind = Kind::advance;
    std::string text;         ///< a stage's name, or a remark
    std::int64_t amount = 0;  ///< a stage's total, or units done
    std::string unit;
  };

  void stage(std::string_view name, std::int64_t total, std::string_view unit) override;
  void advance(std::int64_t units) override;
  void remark(std::string_view line) override;
  /// Nothing more will come.
  void finish();

  /// Waits for the end, at most so long. True: it has come.
  bool wait(std::chrono::milliseconds most);
  /// What came since the last call.
  std::vector<Event> take();

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::vector<Event> events_;
};

/// Runs `job` to its end. shown: has stage(name, total, unit), advance(units) and remark(line).
/// Cancels the job and throws what Python raised meanwhile: KeyboardInterrupt, or of `shown`.
void run_job(const std::function<void(const zeropoint::Work&)>& job, int threads, nb::object shown);

/// The same for a job that gives something.
template <class Job>
auto result_of(const Job& job, int threads, nb::object shown) {
  std::optional<decltype(job(zeropoint::Work()))> result;
  run_job([&](const zeropoint::Work& work) { result = job(work); }, threads, std::move(shown));
  return std::move(*result);
}

/// Errors of the library become those of zeropoint.errors.
void translate_errors();

}  // namespace zeropoint_python
