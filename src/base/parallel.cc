#include "base/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>

namespace zp {

struct Team::Arena {
  explicit Arena(int threads)
      // More threads than cores on request: the arena alone would be capped at the core count.
      : limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)),
        arena(threads) {}
  tbb::global_control limit;
  tbb::task_arena arena;
};

Team::Team(int threads) : threads_(threads > 0 ? threads : tbb::info::default_concurrency()) {
  arena_ = std::make_unique<Arena>(threads_);
}

Team::~Team() = default;

void Team::run(std::int64_t parts, const std::function<void(std::int64_t)>& part) const {
  std::atomic<std::int64_t> next = 0;
  const auto work = [&](int) {
    try {
      for (std::int64_t i = next++; i < parts; i = next++) part(i);
    } catch (...) {
      next = parts;  // nobody begins another part
      throw;
    }
  };
  arena_->arena.execute([&] { tbb::parallel_for(0, threads_, work, tbb::simple_partitioner()); });
}

}  // namespace zp
