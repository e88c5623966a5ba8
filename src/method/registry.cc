#include <algorithm>
#include <array>

#include "base/named.h"
#include "method/method.h"
#include "method/option_values.h"

namespace zp {

#define ZP_METHOD(file) extern const Method method_##file;
#include "method/methods.def"
#undef ZP_METHOD

std::span<const Method* const> methods() {
#define ZP_METHOD(file) &method_##file,
  static constexpr std::array all = {
#include "method/methods.def"
  };
#undef ZP_METHOD
  return all;
}

const Method& find_method(std::string_view name) {
  return find_named(methods(), &Method::name, name, "`method`", "method");
}

const Method& default_method() { return find_method("mse"); }

namespace {

bool one_of(const std::string& where, std::string_view value, std::string_view yes,
            std::string_view no) {
  if (value != yes && value != no) {
    throw UsageError(where, fmt::format("neither {} nor {}", yes, no),
                     fmt::format("{} or {}", yes, no), std::string(value));
  }
  return value == yes;
}

// "a, b or c"
std::string listed(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

// Of one group's weights there are no batches, and the least squares have a method of their own.
const Observer& weights_observer(const std::string& where, std::string_view name) {
  const Observer& observer = find_observer(name, where);
  if (observer.of_batches)
    throw UsageError(where, "weights don't come in batches", "another observer",
                     std::string(observer.name));
  if (name == "mse") throw UsageError(where, "of weights a method finds that", "`method` mse");
  return observer;
}

void set(MethodOptions& options, const std::string& where, std::string_view name,
         std::string_view value) {
  if (name == "upstream") {
    options.upstream = one_of(where, value, "on", "off");
  } else if (name == "order") {
    options.order = one_of(where, value, "on", "off");
  } else if (name == "floats") {
    options.adjusts_floats = one_of(where, value, "adjust", "keep");
  } else if (name == "damp") {
    options.damp = number(where, value, 1e-6, 1e6);
    if (!options.shrink) options.shrink = 0;
  } else if (name == "shrink") {
    options.shrink = number(where, value, 0.0, 1e6);
  } else if (name == "sweeps") {
    options.sweeps = number(where, value, 0, 100);
  } else if (name == "observer") {
    options.observer = &weights_observer(where, value);
  } else if (name == "percentile") {
    options.observing.percentile = number(where, value, 50.0, 100.0);
  }
}

}  // namespace

Coder parse_coder(std::string_view spec) {
  const std::string where = "`method` " + std::string(spec);
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  Coder coder{&find_method(spec.substr(0, colon)), {}};
  if (colon == spec.size()) return coder;
  const std::span<const std::string_view> known = coder.method->options;
  if (known.empty()) throw UsageError(where, std::string(coder.method->name) + " takes no options");
  for (const std::string_view one : at_commas(spec.substr(colon + 1))) {
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      throw UsageError(where, "an option has no value", "OPTION=VALUE", std::string(one));
    const std::string_view name = one.substr(0, equals);
    if (std::ranges::find(known, name) == known.end())
      throw UsageError(where, "unknown option", listed(known), std::string(name));
    set(coder.options, where, name, one.substr(equals + 1));
  }
  const MethodOptions& o = coder.options;
  if (o.observing.percentile != ObserverOptions().percentile &&
      (o.observer == nullptr || o.observer->name != "percentile"))
    throw UsageError(where, "of another observer", "observer=percentile beside percentile=");
  return coder;
}

}  // namespace zp
