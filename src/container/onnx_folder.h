// A folder with one ONNX model:
//
//   model.onnx         the graph (onnx_ops.h), its tensors named and placed
//   model.onnx.data    their bytes; what fills a page or more begins on one, the rest behind it
//   config.json        the source's, with which the folder is read back
//   tokenizer.json ... files of the source that are copied as they are
//
// It is what both the onnx and the genai container write; genai adds its own configuration.
#pragma once

#include "container/container.h"

namespace zp {

class OnnxFolder : public Container {
 public:
  std::string_view extension() const override { return ""; }
  bool is_model() const override { return true; }
  bool asks_for_accuracy() const override { return true; }
  std::string_view default_grid() const override { return "int4:g32"; }
  std::span<const std::string_view> budget_grids() const override;
  bool one_grid_for_experts() const override { return true; }
  AffineForm affine_defaults(std::string_view stored_type) const override;
  std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const override;
  Verdict accepts(const Grid& grid, const TensorUse& use) const override;
  std::string fallback(const Grid& grid, const Weight& weight) const override;
  Layout layout(const ContainerInput& input,
                std::span<const Assignment> assignments) const override;

 protected:
  /// MatMulNBits's accuracy_level, where nobody asks for accuracy.
  virtual std::int64_t accuracy_level() const = 0;
  /// Files that only this container has.
  virtual void add_files(const ContainerInput&, Layout&) const {}
};

}  // namespace zp
