// ONNX models for ONNX Runtime: a decoder graph with a cache.
//
// MatMulNBits computes in FP32 here (accuracy_level 1), so that results are those of the weights.
#include "container/onnx_folder.h"
#include "container/onnx_ops.h"

namespace zp {
namespace {

class Onnx final : public OnnxFolder {
 public:
  std::string_view name() const override { return "onnx"; }
  std::string_view summary() const override {
    return "folder with a decoder graph for ONNX Runtime, affine or floating point";
  }

 protected:
  std::int64_t accuracy_level() const override { return kOnnxExact; }
};

constinit const Onnx instance;

}  // namespace

extern const Container& container_onnx;
const Container& container_onnx = instance;

}  // namespace zp
