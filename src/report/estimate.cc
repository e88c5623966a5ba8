#include "report/estimate.h"

#include <algorithm>
#include <utility>

namespace zp {
namespace {

constexpr double kMeasured = 0.3;  // seconds; less says nothing yet

}  // namespace

void Estimate::expect(std::vector<Work> job) {
  kinds_.clear();
  for (Work& work : job) kinds_.push_back({std::move(work)});
}

std::size_t Estimate::kind_of(std::string_view name) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (name.starts_with(kinds_[i].work.stage)) return i;
  }
  kinds_.push_back({{std::string(name), 0, 0}});
  return kinds_.size() - 1;
}

void Estimate::stage(std::string_view name, double total, double now) {
  advance(0, now);
  if (!name_.empty()) kinds_[current_].seconds += waiting_;
  waiting_ = 0;
  name_ = name;
  current_ = kind_of(name);
  // Neighbours may take turns, as calibrating and coding do; what lies further back is over, even
  // where less of it came than was expected.
  for (std::size_t i = 0; i + 1 < current_; ++i) kinds_[i].over = true;
  Kind& kind = kinds_[current_];
  kind.over = false;
  kind.work.amount = std::max(kind.work.amount, kind.done + total);
  stage_total_ = total;
  stage_done_ = 0;
  stage_begin_ = now;
}

void Estimate::advance(double amount, double now) {
  if (!name_.empty()) waiting_ += now - now_;
  now_ = now;
  if (name_.empty() || amount <= 0) return;
  Kind& kind = kinds_[current_];
  kind.seconds += std::exchange(waiting_, 0);
  kind.done = std::min(kind.done + amount, kind.work.amount);
  stage_done_ += amount;
}

// 0: unknown.
double Estimate::seconds_per_unit(const Kind& kind) const {
  if (kind.seconds >= kMeasured && kind.done > 0) return kind.seconds / kind.done;
  double guessed = 0;
  double measured = 0;
  for (const Kind& k : kinds_) {
    if (k.seconds < kMeasured || k.work.seconds_per_unit <= 0) continue;
    guessed += k.done * k.work.seconds_per_unit;
    measured += k.seconds;
  }
  return kind.work.seconds_per_unit * (guessed > 0 ? measured / guessed : 1);
}

std::optional<double> Estimate::seconds_left() const {
  double sum = 0;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const Kind& kind = kinds_[i];
    if (kind.left() <= 0) continue;
    const double each = seconds_per_unit(kind);
    if (each <= 0) return {};
    sum += kind.left() * each;
    if (i == current_)
      sum -= std::min(waiting_, each * std::clamp(stage_total_ - stage_done_, 0.0, kind.left()));
  }
  return sum;
}

double Estimate::share() const {
  double spent = waiting_;
  for (const Kind& kind : kinds_) spent += kind.seconds;
  const std::optional<double> left = seconds_left();
  return left && spent + *left > 0 ? spent / (spent + *left) : 0;
}

double Estimate::rate() const {
  const double seconds = now_ - stage_begin_;
  return seconds > 0 ? stage_done_ / seconds : 0;
}

}  // namespace zp
