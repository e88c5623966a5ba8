#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace zp {
namespace {

struct Job {
  std::int64_t parts;
  const std::function<void(std::int64_t)>& part;
  const Cancellation* cancellation;
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex = {};
  std::exception_ptr first = {};

  void work() {
    try {
      for (std::int64_t i = next++; i < parts; i = next++) {
        if (cancellation != nullptr) cancellation->check();
        part(i);
      }
    } catch (...) {
      next = parts;  // nobody begins another part
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
  }
};

}  // namespace

// Helpers sleep until there is a job; the thread that called run works with them, and at the end
// waits for those alone that came: on a busy machine some may not get a core in time.
class Team::Pool {
 public:
  explicit Pool(int helpers) {
    for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { help(); });
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
  }

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(Job& job) {
    if (taken_.test_and_set()) return job.work();  // a part, or another thread, is inside
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      ++round_;
    }
    wake_.notify_all();
    job.work();
    {
      std::unique_lock lock(mutex_);
      job_ = nullptr;
      left_.wait(lock, [this] { return inside_ == 0; });
    }
    taken_.clear();
  }

 private:
  void help() {
    std::unique_lock lock(mutex_);
    for (std::int64_t seen = 0;;) {
      wake_.wait(lock, [&] { return stop_ || (job_ != nullptr && round_ != seen); });
      if (stop_) return;
      Job* const job = job_;
      seen = round_;
      ++inside_;
      lock.unlock();
      job->work();
      lock.lock();
      if (--inside_ == 0) left_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable left_;
  Job* job_ = nullptr;
  std::int64_t round_ = 0;
  int inside_ = 0;
  bool stop_ = false;
  std::atomic_flag taken_;
  std::vector<std::jthread> threads_;  // last: ended before what they use
};

Team::Team(int threads, const Cancellation* cancellation)
    : threads_(threads > 0 ? threads
                           : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
      cancellation_(cancellation),
      pool_(std::make_unique<Pool>(threads_ - 1)) {}

Team::~Team() = default;

void Team::run(std::int64_t parts, const std::function<void(std::int64_t)>& part) const {
  Job job{.parts = parts, .part = part, .cancellation = cancellation_};
  if (parts > 1 && threads_ > 1) {
    pool_->run(job);
  } else {
    job.work();
  }
  if (job.first) std::rethrow_exception(job.first);
}

}  // namespace zp
