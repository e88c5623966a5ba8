#include "format/gguf.h"

namespace zp::gguf {

const Value* Header::find(std::string_view key) const {
  for (const Pair& pair : pairs) {
    if (pair.key == key) return &pair.value;
  }
  return nullptr;
}

}  // namespace zp::gguf
