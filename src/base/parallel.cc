#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace zp {
namespace {

struct Job {
  std::int64_t parts;
  const std::function<void(std::int64_t)>& part;
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex = {};
  std::exception_ptr first = {};

  void work() {
    try {
      for (std::int64_t i = next++; i < parts; i = next++) part(i);
    } catch (...) {
      next = parts;  // nobody begins another part
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
  }
};

}  // namespace

// Helpers sleep until the number of the round changes; the thread that called run works with them.
class Team::Pool {
 public:
  explicit Pool(int helpers) : helpers_(helpers) {
    for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { help(); });
  }

  ~Pool() { begin(nullptr); }

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(Job& job) {
    if (taken_.test_and_set()) return job.work();  // a part, or another thread, is inside
    begin(&job);
    job.work();
    for (int busy = busy_; busy != 0; busy = busy_) busy_.wait(busy);
    taken_.clear();
  }

 private:
  void begin(Job* job) {
    job_ = job;
    busy_ = helpers_;
    ++round_;
    round_.notify_all();
  }

  void help() {
    for (unsigned seen = 0;; ++seen) {
      round_.wait(seen);
      if (job_ == nullptr) return;
      job_->work();
      if (--busy_ == 0) busy_.notify_one();
    }
  }

  int helpers_;
  Job* job_ = nullptr;  // written before, read after round_ changes
  std::atomic<unsigned> round_ = 0;
  std::atomic<int> busy_ = 0;
  std::atomic_flag taken_;
  std::vector<std::jthread> threads_;  // last: ended before what they use
};

Team::Team(int threads)
    : threads_(threads > 0 ? threads
                           : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
      pool_(std::make_unique<Pool>(threads_ - 1)) {}

Team::~Team() = default;

void Team::run(std::int64_t parts, const std::function<void(std::int64_t)>& part) const {
  Job job{.parts = parts, .part = part};
  if (parts > 1 && threads_ > 1) {
    pool_->run(job);
  } else {
    job.work();
  }
  if (job.first) std::rethrow_exception(job.first);
}

}  // namespace zp
