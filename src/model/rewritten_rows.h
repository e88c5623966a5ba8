// Rows of a weight as a Change leaves them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "model/rewriting.h"

namespace zp {

/// The last few blocks of rows that were turned: who reads a matrix tile by tile finds the rest of
/// the block here. From any thread; who wants a block that another makes waits for it.
class RowBlocks {
 public:
  using Block = std::shared_ptr<const std::vector<float>>;

  /// Block `index` of `of`, made by make() when it isn't there.
  template <class F>
  Block get(const RowReader* of, std::int64_t index, const F& make) {
    const std::lock_guard lock(mutex_);
    for (auto it = held_.begin(); it != held_.end(); ++it) {
      if (it->of != of || it->index != index) continue;
      held_.splice(held_.begin(), held_, it);
      return held_.front().values;
    }
    held_.push_front({of, index, std::make_shared<const std::vector<float>>(make())});
    if (held_.size() > kHeld) held_.pop_back();
    return held_.front().values;
  }

 private:
  struct Held {
    const RowReader* of;
    std::int64_t index;
    Block values;
  };
  static constexpr std::size_t kHeld = 3;

  std::mutex mutex_;
  std::list<Held> held_;
};

/// Borrows the weight's rows.
std::unique_ptr<RowReader> rewritten_rows(const Weight& weight, const Change& change,
                                          bool norm_plus_one, std::shared_ptr<RowBlocks> blocks);

}  // namespace zp
