#include "model/state_space.h"

#include <algorithm>
#include <limits>

#include "base/json.h"

namespace zp::state_space {
namespace {

constexpr const char* kLimits = "time_step_limit";

constexpr auto kMost = static_cast<double>(std::numeric_limits<float>::max());

// No number of JSON's is infinite: transformers writes {"__float__": "Infinity"}, and we the largest
// there is in FP32.
double limit(ConfigReader& fields, const Json& said) {
  if (said.is_number() && said.get<double>() >= kMost)
    return std::numeric_limits<double>::infinity();
  if (said.is_number() && said.get<double>() >= 0) return said.get<double>();
  if (said.is_object() && said.value("__float__", Json()) == Json("Infinity"))
    return std::numeric_limits<double>::infinity();
  fields.refuse(kLimits, "value not supported", "two numbers of at least 0");
}

}  // namespace

void read_limits(ConfigReader& fields, StateSpace& space) {
  if (!fields.has(kLimits)) return;
  const Json& said = fields.at(kLimits);
  if (!said.is_array() || said.size() != 2)
    fields.refuse(kLimits, "value not supported", "two numbers of at least 0");
  space.least_step = limit(fields, said[0]);
  space.most_step = limit(fields, said[1]);
  if (space.least_step > space.most_step)
    fields.refuse(kLimits, "out of order", "the smallest, then the largest");
}

void read(ConfigReader& fields, Decoder& d, std::int64_t columns) {
  StateSpace& space = d.space;
  if (columns % space.heads != 0)
    fields.refuse("mamba_n_heads", "doesn't divide the columns of all heads",
                  "a divisor of " + std::to_string(columns));
  space.head_dim = columns / space.heads;
  constexpr const char* kHead = "mamba_d_head";
  const bool stated = fields.has(kHead) && fields.at(kHead) != Json("auto");
  if (stated && fields.count(kHead, kMostHeadDim) != space.head_dim)
    fields.refuse(kHead, "heads have other columns together than the state space",
                  std::to_string(space.head_dim));
  if (space.head_dim > kMostHeadDim)
    fields.refuse("mamba_n_heads", "heads too large", "at most " + std::to_string(kMostHeadDim));
  if (space.heads % space.groups != 0)
    fields.refuse("mamba_n_groups", "doesn't divide \"mamba_n_heads\"",
                  "a divisor of " + std::to_string(space.heads));
  read_limits(fields, space);
}

void write_limits(const Decoder& d, Json& config) {
  config[kLimits] = {d.space.least_step, std::min(d.space.most_step, kMost)};
}

}  // namespace zp::state_space
