// Goes over a network's steps and hands each to an Ops, which does with it what it is for: the
// engine computes, others follow something through the network or write a graph's nodes. An Ops has
// a movable type Value and these operations:
//
//   embed(place)
//   add_positions(x)
//   scale(x, factor)
//   temper(x)
//   norm(x, place), norm_heads(x, place), norm_values(x, layer)
//   linear(x, place)
//   route(scores, place), dispatch(x, routes), expert_linear(x, routes, place), combine(x, routes, place)
//   slice(x, begin, width), part(x, parts), share(x, y)
//   rotate(x, layer)
//   attend(q, k, v, place), the place of the heads' sinks, which the model may have
//   convolve(x, place)
//   delta(qkv, beta, decay, place)
//   scan(x, steps, place)
//   activate(x, activation)
//   multiply(x, y), scale_by(x, place), weigh(x, y), add(x, y)
//   clamp(x, least, most), shift(x, by), soft_cap(x, cap)
//
// They take values that nobody reads again, which are moved in so that an Ops may work in place, or
// references. An Ops whose values can't be copied has copy(x), too, for what is read again.
#pragma once

#include <concepts>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "model/network.h"

namespace zp {

template <class Ops>
class Interpreter {
 public:
  using Value = typename Ops::Value;
  using Values = std::map<ValueId, Value>;

  /// Borrows both.
  Interpreter(const Network& network, Ops& ops) : network_(network), ops_(ops) {}

  /// The wanted values, of which those that are given stay as they are: what isn't there and is
  /// needed is computed.
  Values run(Values given, std::span<const ValueId> wanted) {
    values_ = std::move(given);
    std::vector<bool> is_given(network_.steps.size());
    for (const auto& [value, rows] : values_) is_given[value] = true;
    const std::vector<bool> needed = needed_steps(network_, is_given, wanted);
    count_uses(needed, wanted);
    std::erase_if(values_, [&](const auto& value) { return uses_[value.first] == 0; });
    for (ValueId i = 0; i < network_.steps.size(); ++i) {
      if (needed[i]) values_.emplace(i, made_by(network_.steps[i]));
      if (needed[i]) drop(network_.steps[i].reads);
    }
    return std::move(values_);
  }

 private:
  void count_uses(const std::vector<bool>& needed, std::span<const ValueId> wanted) {
    uses_.assign(network_.steps.size(), 0);
    for (const ValueId value : wanted) ++uses_[value];
    for (ValueId i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      for (const ValueId read : network_.steps[i].reads) ++uses_[read];
    }
  }

  void drop(std::span<const ValueId> reads) {
    for (const ValueId read : reads) {
      if (--uses_[read] == 0) values_.erase(read);
    }
  }

  const Value& at(ValueId value) const { return values_.at(value); }
  Value take(ValueId value) {
    if (uses_[value] == 1) return std::move(values_.at(value));
    if constexpr (std::copy_constructible<Value>) {
      return at(value);
    } else {
      return ops_.copy(at(value));
    }
  }

  Value made_by(const Step& s) {
    const auto& r = s.reads;
    switch (s.operation) {
      case Operation::embed:
        return ops_.embed(s.place);
      case Operation::add_positions:
        return ops_.add_positions(take(r[0]));
      case Operation::scale:
        return ops_.scale(take(r[0]), s.number);
      case Operation::temper:
        return ops_.temper(take(r[0]));
      case Operation::norm:
        return ops_.norm(at(r[0]), s.place);
      case Operation::norm_heads:
        return ops_.norm_heads(take(r[0]), s.place);
      case Operation::norm_values:
        return ops_.norm_values(take(r[0]), s.place.layer);
      case Operation::linear:
        return ops_.linear(at(r[0]), s.place);
      case Operation::route:
        return ops_.route(take(r[0]), s.place);
      case Operation::dispatch:
        return ops_.dispatch(at(r[0]), at(r[1]));
      case Operation::expert_linear:
        return ops_.expert_linear(at(r[0]), at(r[1]), s.place);
      case Operation::combine:
        return ops_.combine(take(r[0]), at(r[1]), s.place);
      case Operation::slice:
        return ops_.slice(at(r[0]), s.begin, s.width);
      case Operation::part:
        return ops_.part(at(r[0]), s.parts);
      case Operation::share:
        return ops_.share(at(r[0]), at(r[1]), s.parts.front());
      case Operation::rotate:
        return ops_.rotate(take(r[0]), s.place.layer);
      case Operation::attend:
        return ops_.attend(at(r[0]), at(r[1]), at(r[2]), s.place);
      case Operation::convolve:
        return ops_.convolve(at(r[0]), s.place);
      case Operation::delta:
        return ops_.delta(at(r[0]), at(r[1]), at(r[2]), s.place);
      case Operation::scan:
        return ops_.scan(at(r[0]), at(r[1]), s.place);
      case Operation::activate:
        return ops_.activate(take(r[0]), s.activation);
      case Operation::multiply:
        return ops_.multiply(take(r[0]), at(r[1]));
      case Operation::scale_by:
        return ops_.scale_by(take(r[0]), s.place);
      case Operation::weigh:
        return ops_.weigh(take(r[0]), at(r[1]));
      case Operation::add:
        return ops_.add(take(r[0]), at(r[1]));
      case Operation::clamp:
        return ops_.clamp(take(r[0]), s.least, s.number);
      case Operation::shift:
        return ops_.shift(take(r[0]), s.number);
      case Operation::soft_cap:
        break;
    }
    return ops_.soft_cap(take(r[0]), s.number);
  }

  const Network& network_;
  Ops& ops_;
  Values values_;
  std::vector<int> uses_;  // steps to come that read a value, and whether it is wanted
};

}  // namespace zp
