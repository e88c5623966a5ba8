#include <array>

#include "base/error.h"
#include "method/method.h"

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
  std::string known;
  for (const Method* m : methods()) {
    if (m->name == name) return *m;
    known += (known.empty() ? "" : ", ") + std::string(m->name);
  }
  throw UsageError("--method", "unknown method", known, std::string(name));
}

}  // namespace zp
