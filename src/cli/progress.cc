// Progress on standard error: one line on a terminal, drawn over itself; a line now and then
// elsewhere.
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "base/human.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "report/estimate.h"
#include "report/progress_line.h"

namespace zp::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kLogged{10};

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// Draws from a thread of its own, so that work without a word for long shows, too.
class Drawn final : public Progress {
 public:
  explicit Drawn(bool terminal)
      : terminal_(terminal), drawer_([this](const std::stop_token& stop) { keep_drawing(stop); }) {}

  ~Drawn() override {
    drawer_.request_stop();
    wake_.notify_all();
    drawer_.join();
    clear();
  }

  void remark(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    clear();
    fmt::print(stderr, "{}\n", with_options(text));
  }

  void when_interrupted(const char* words) override { say_when_interrupted(words); }

  void expect(std::vector<Work> job) override {
    const std::lock_guard lock(mutex_);
    estimate_.expect(std::move(job));
  }

  void stage(std::string_view name, std::int64_t total, std::string_view unit) override {
    cancellation().check();
    const std::lock_guard lock(mutex_);
    take();
    estimate_.stage(name, static_cast<double>(total), seconds_since_begin());
    unit_ = unit;
  }

  void advance(std::int64_t amount) override {
    cancellation().check();
    done_ += amount;
  }

 private:
  double seconds_since_begin() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }

  // What was done since the last look.
  void take() { estimate_.advance(static_cast<double>(done_.exchange(0)), seconds_since_begin()); }

  void keep_drawing(const std::stop_token& stop) {
    const Clock::duration pause = terminal_ ? Clock::duration(kRedraw) : Clock::duration(kLogged);
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, pause, [] { return false; }) && !stop.stop_requested()) {
      take();
      if (!estimate_.stage_name().empty()) draw();
    }
  }

  void draw() {
    const std::optional<double> left = estimate_.seconds_left();
    const ProgressText text{estimate_.stage_name(), estimate_.share(),
                            human_rate(estimate_.rate(), unit_),
                            left ? human_duration(*left) + " left" : ""};
    if (terminal_) {
      const std::size_t columns = terminal_columns();
      const std::string line = progress_line(text, columns - 1, true);
      fmt::print(stderr, "{}{}", erase(columns), line);
      drawn_ = line.size();
    } else {
      fmt::print(stderr, "{}\n", progress_line(text, 200, false));
    }
    std::fflush(stderr);
  }

  void clear() {
    if (drawn_ > 0) fmt::print(stderr, "{}", erase(terminal_columns()));
    std::fflush(stderr);
    drawn_ = 0;
  }

  // To the begin of what was drawn: on a terminal that has become narrower it takes several lines.
  std::string erase(std::size_t columns) const {
    const std::size_t above = drawn_ == 0 ? 0 : (drawn_ - 1) / columns;
    return (above > 0 ? fmt::format("\x1b[{}A", above) : "") + "\r\x1b[J";
  }

  bool terminal_;
  Clock::time_point begin_ = Clock::now();
  std::atomic<std::int64_t> done_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  Estimate estimate_;
  std::string unit_;
  std::size_t drawn_ = 0;  // characters of the line that stands there
  std::jthread drawer_;    // last: all of it is there when it begins
};

class Quiet final : public Progress {
 public:
  void stage(std::string_view, std::int64_t, std::string_view) override { cancellation().check(); }
  void advance(std::int64_t) override { cancellation().check(); }
  void when_interrupted(const char* words) override { say_when_interrupted(words); }
};

}  // namespace

std::unique_ptr<Progress> make_progress(const Common& common) {
  if (common.quiet) return std::make_unique<Quiet>();
  return std::make_unique<Drawn>(::isatty(STDERR_FILENO) == 1);
}

}  // namespace zp::cli
