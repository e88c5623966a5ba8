// PEFT's adapters: adapter_config.json, a line, and its safetensors file behind it; what is accepted has two
// whole matrices of one rank for each module.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "format/peft.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  const auto end = std::find(file.begin(), file.end(), std::byte{'\n'});
  if (end == file.end()) return 0;
  const std::string config(reinterpret_cast<const char*>(data),
                           static_cast<std::size_t>(end - file.begin()));
  try {
    const zp::peft::Adapter adapter =
        zp::peft::parse(zp::parse_json(config, "config"), file.subspan(config.size() + 1), "input");
    for (const zp::peft::Module& module : adapter.modules) {
      if (std::ssize(module.a) != adapter.rank * module.inputs) std::abort();
      if (std::ssize(module.b) != adapter.rank * module.outputs) std::abort();
    }
  } catch (const zp::Error&) {
  }
  return 0;
}
