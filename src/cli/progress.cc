// Progress on standard error, and Ctrl-C.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>

#include "cli/command.h"
#include "report/human.h"

namespace zp::cli {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

class Drawn final : public Progress {
 public:
  Drawn(bool terminal, bool silent) : terminal_(terminal), silent_(silent) {}
  ~Drawn() override { finish(); }

  void stage(std::string_view name, std::int64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    finish();
    name_ = name;
    unit_ = unit;
    total_ = total;
    done_ = 0;
    begin_ = drawn_ = Clock::now();
  }

  void advance(std::int64_t amount) override {
    if (interrupted != 0) throw Interrupted{};
    done_ += amount;
    if (silent_) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    const Clock::time_point now = Clock::now();
    if (now - drawn_ <
        (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000)))
      return;
    drawn_ = now;
    draw(now);
  }

 private:
  void draw(Clock::time_point now) {
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const auto done = static_cast<double>(done_.load());
    const double share = total_ > 0 ? done / static_cast<double>(total_) : 1;
    const double rate = done / seconds;
    const std::string line =
        fmt::format("{} {:3.0f} %  {}  {} left", name_, 100 * share, human_rate(rate, unit_),
                    human_duration(share > 0 ? seconds * (1 - share) / share : 0));
    if (terminal_) {
      const auto filled = static_cast<int>(share * 24);
      fmt::print(stderr, "\r[{:#>{}}{:.>{}}] {}\x1b[K", "", filled, "", 24 - filled, line);
      bar_ = true;
    } else {
      fmt::print(stderr, "{}\n", line);
    }
    std::fflush(stderr);
  }

  void finish() {
    if (bar_) fmt::print(stderr, "\r\x1b[K");
    bar_ = false;
  }

  bool terminal_;
  bool silent_;
  bool bar_ = false;
  std::mutex mutex_;
  std::string name_;
  std::string unit_;
  std::int64_t total_ = 0;
  std::atomic<std::int64_t> done_ = 0;
  Clock::time_point begin_;
  Clock::time_point drawn_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(const Common& common) {
  return std::make_unique<Drawn>(::isatty(STDERR_FILENO) == 1, common.quiet);
}

void catch_interrupts() {
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
}

}  // namespace zp::cli
