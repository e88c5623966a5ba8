#include "method/method.h"

namespace zp {

#define ZP_METHOD(file) std::unique_ptr<Coder> method_##file();
#include "method/methods.def"
#undef ZP_METHOD

std::vector<std::unique_ptr<Coder>> coders() {
  std::vector<std::unique_ptr<Coder>> all;
#define ZP_METHOD(file) all.push_back(method_##file());
#include "method/methods.def"
#undef ZP_METHOD
  return all;
}

std::unique_ptr<Coder> make_coder(std::string_view spec) {
  std::vector<std::unique_ptr<Coder>> all = coders();
  std::vector<Method*> methods;
  for (const auto& coder : all) methods.push_back(coder.get());
  return std::move(all[choose(methods, spec, "method")]);
}

const std::shared_ptr<const Coder>& default_coder() {
  static const std::shared_ptr<const Coder> coder = make_coder("mse");
  return coder;
}

}  // namespace zp
