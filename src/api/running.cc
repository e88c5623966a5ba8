#include "api/running.h"

#include "base/cancellation.h"

namespace zeropoint {

struct Cancellation::State {
  zp::Cancellation asked;
};

Cancellation::Cancellation() : state_(std::make_unique<State>()) {}
Cancellation::~Cancellation() = default;
void Cancellation::ask() noexcept { state_->asked.ask(); }
bool Cancellation::asked() const noexcept { return state_->asked.asked(); }

Progress::~Progress() = default;
void Progress::remark(std::string_view) {}

Running::Running(const Work& work)
    : team_(work.threads,
            work.cancellation != nullptr ? &work.cancellation->state_->asked : nullptr),
      told_(work.progress,
            work.cancellation != nullptr ? &work.cancellation->state_->asked : nullptr) {}

void Running::Told::check() const {
  if (cancellation_ != nullptr) cancellation_->check();
}

void Running::Told::stage(std::string_view name, std::int64_t total, std::string_view unit) {
  check();
  if (whom_ != nullptr) whom_->stage(name, total, unit);
}

void Running::Told::advance(std::int64_t units) {
  check();
  if (whom_ != nullptr) whom_->advance(units);
}

void Running::Told::remark(std::string_view line) {
  if (whom_ != nullptr) whom_->remark(line);
}

}  // namespace zeropoint
