#include "cli/interrupt.h"

#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <thread>

#include "base/unfinished.h"

namespace zp::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{700};
constexpr std::chrono::milliseconds kLook{20};

// Plain data for the handler and the watcher, which may outlive main.
Cancellation asked;
std::atomic<int> signals = 0;
std::atomic<const char*> words = "nothing was written";
sem_t came;

void handle(int) {
  const int before = errno;
  asked.ask();
  ++signals;
  ::sem_post(&came);
  errno = before;
}

[[noreturn]] void end_now() {
  give_up_unfinished();
  // The bar's line, where there is one, is written over.
  const std::string text = (::isatty(STDERR_FILENO) == 1 ? "\r\x1b[Jzeropoint: " : "zeropoint: ") +
                           interrupt_words() + "\n";
  const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(ignored);
  ::_exit(130);
}

// Ends the process where the work doesn't end by itself; a second signal ends it at once.
void watch() {
  while (true) {
    while (::sem_wait(&came) != 0) {
    }
    const int seen = signals;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (asked.asked()) {
      if (signals != seen || std::chrono::steady_clock::now() > end) end_now();
      std::this_thread::sleep_for(kLook);
    }
  }
}

}  // namespace

void catch_interrupts() {
  ::sem_init(&came, 0, 0);
  std::thread(watch).detach();
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

const Cancellation& cancellation() { return asked; }

void forget_interrupt() { asked.forget(); }

void say_when_interrupted(const char* text) { words = text; }

WhenInterrupted::WhenInterrupted(const char* text) : before_(words.exchange(text)) {}

// Cancelled is on its way to main, which says what held where it was thrown.
WhenInterrupted::~WhenInterrupted() {
  if (std::uncaught_exceptions() == 0) words = before_;
}

std::string interrupt_words() { return std::string("interrupted; ") + words.load(); }

}  // namespace zp::cli
