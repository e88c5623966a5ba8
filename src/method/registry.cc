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
  return find_named(methods(), &Method::name, name, "--method", "method");
}

namespace {

bool on_or_off(const std::string& where, std::string_view value) {
  if (value != "on" && value != "off")
    throw UsageError(where, "neither on nor off", "on or off", std::string(value));
  return value == "on";
}

void set(MethodOptions& options, const std::string& where, std::string_view name,
         std::string_view value) {
  if (name == "upstream") {
    options.upstream = on_or_off(where, value);
  } else if (name == "order") {
    options.order = on_or_off(where, value);
  } else if (name == "damp") {
    options.damp = number(where, value, 1e-6, 1e6);
  } else if (name == "sweeps") {
    options.sweeps = number(where, value, 0, 100);
  } else {
    throw UsageError(where, "unknown option", "upstream, order, damp or sweeps", std::string(name));
  }
}

}  // namespace

Coder parse_coder(std::string_view spec) {
  const std::string where = "--method " + std::string(spec);
  const std::size_t colon = std::min(spec.find(':'), spec.size());
  Coder coder{&find_method(spec.substr(0, colon)), {}};
  if (colon == spec.size()) return coder;
  if (!coder.method->feedback)
    throw UsageError(where, std::string(coder.method->name) + " takes no options");
  for (const std::string_view one : at_commas(spec.substr(colon + 1))) {
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      throw UsageError(where, "an option has no value", "OPTION=VALUE", std::string(one));
    set(coder.options, where, one.substr(0, equals), one.substr(equals + 1));
  }
  return coder;
}

}  // namespace zp
