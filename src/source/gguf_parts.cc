#include "source/gguf_parts.h"

#include "source/gguf_fields.h"

namespace zp {

void check_gguf_parts(const Checkpoint& checkpoint) {
  constexpr const char* kCount = "count";
  constexpr const char* kTensors = "tensors.count";
  GgufFields fields(checkpoint.metadata, "split.", checkpoint.path.string());
  const auto read = std::ssize(checkpoint.files);
  const std::int64_t parts = fields.has(kCount) ? fields.integer(kCount, 0, UINT16_MAX) : 1;
  if (parts > 1 && parts != read) {
    fields.refuse(kCount, "one part of a split model",
                  std::to_string(parts) + " files side by side, named as llama.cpp names them",
                  std::to_string(read));
  }
  const auto tensors = std::ssize(checkpoint.tensors);
  if (fields.has(kTensors) && fields.integer(kTensors, 0, INT32_MAX) != tensors)
    fields.refuse(kTensors, "tensors missing", {}, std::to_string(tensors));
}

}  // namespace zp
