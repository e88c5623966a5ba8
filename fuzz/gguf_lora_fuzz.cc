// llama.cpp's adapters from bytes: what is accepted has two whole matrices of one rank for each module.
#include <cstdlib>

#include "base/error.h"
#include "format/gguf_lora.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const zp::Bytes file(reinterpret_cast<const std::byte*>(data), bytes);
  try {
    const zp::gguf::Lora lora = zp::gguf::read_lora(file, "input");
    for (const zp::peft::Module& module : lora.modules) {
      if (std::ssize(module.a) != lora.rank * module.inputs) std::abort();
      if (std::ssize(module.b) != lora.rank * module.outputs) std::abort();
    }
  } catch (const zp::Error&) {
  }
  return 0;
}
