#include <array>

#include "base/named.h"
#include "observer/observer.h"

namespace zp {

#define ZP_OBSERVER(file) extern const Observer observer_##file;
#include "observer/observers.def"
#undef ZP_OBSERVER

std::span<const Observer* const> observers() {
#define ZP_OBSERVER(file) &observer_##file,
  static constexpr std::array all = {
#include "observer/observers.def"
  };
#undef ZP_OBSERVER
  return all;
}

const Observer& find_observer(std::string_view name, const std::string& where) {
  return find_named(observers(), &Observer::name, name, where, "observer");
}

}  // namespace zp
