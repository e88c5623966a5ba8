#include "base/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

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
  arena_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, parts, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          for (std::int64_t i = range.begin(); i != range.end(); ++i) part(i);
        },
        tbb::simple_partitioner());
  });
}

}  // namespace zp
