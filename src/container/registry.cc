#include <array>

#include "base/named.h"
#include "container/container.h"

namespace zp {

#define ZP_CONTAINER(file) extern const Container& container_##file;
#include "container/containers.def"
#undef ZP_CONTAINER

std::span<const Container* const> containers() {
#define ZP_CONTAINER(file) &container_##file,
  static const std::array all = {
#include "container/containers.def"
  };
#undef ZP_CONTAINER
  return all;
}

const Container& find_container(std::string_view name) {
  return find_named(containers(), &Container::name, name, "`to`", "container");
}

}  // namespace zp
