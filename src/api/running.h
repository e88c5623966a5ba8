// The team and the progress of a job, as the rest of the library has them.
#pragma once

#include "base/parallel.h"
#include "base/progress.h"
#include "zeropoint/work.h"

namespace zeropoint {

/// Borrows what the work borrows.
class Running {
 public:
  explicit Running(const Work& work);

  const zp::Team& team() const { return team_; }
  zp::Progress& progress() { return told_; }

 private:
  class Told final : public zp::Progress {
   public:
    Told(zeropoint::Progress* whom, const zp::Cancellation* cancellation)
        : whom_(whom), cancellation_(cancellation) {}
    void stage(std::string_view name, std::int64_t total, std::string_view unit) override;
    void advance(std::int64_t units) override;
    void remark(std::string_view line) override;

   private:
    void check() const;
    zeropoint::Progress* whom_;
    const zp::Cancellation* cancellation_;
  };

  zp::Team team_;
  Told told_;
};

}  // namespace zeropoint
