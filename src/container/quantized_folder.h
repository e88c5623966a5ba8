// Hugging Face folders whose linear layers are quantized modules: what the layouts of other programs
// have in common, over the tensors of checkpoints (hf_tensors.h).
//
// A linear's weight X.weight becomes a few tensors behind X: planes of its grid, and some whose bytes
// follow from its shape. What is looked up, the head, norms, biases and small matrices stay in the
// model's floating type, which scales of 16 or 32 bits say; so does a linear that its module can't
// hold. config.json says of the modules what the program that reads them has to know:
// "quantization_config".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "container/checkpoint_folder.h"

namespace zp {

/// The tensors of a quantized module, with whole names.
struct CodedModule {
  std::vector<FolderTensor::Plane> planes;  ///< one for each of the grid
  std::vector<MadeTensor> made = {};
};

/// A linear layer of the folder.
struct FolderModule {
  std::string path;  ///< "model.layers.0.mlp.down_proj"
  const TensorUse* use = nullptr;
  const Grid* grid = nullptr;  ///< nullptr: in floating point
};

/// Those quantized on the same grid.
struct GridModules {
  const Grid* grid = nullptr;
  std::vector<std::string> paths;
  std::int64_t parameters = 0;
};
/// Those of most parameters first.
std::vector<GridModules> by_grid(std::span<const FolderModule> modules);
/// The paths of those in floating point.
std::vector<std::string> left_floating(std::span<const FolderModule> modules);

class QuantizedFolder : public Container {
 public:
  std::string_view extension() const final { return ""; }
  bool is_model() const final { return true; }
  bool splits() const final { return true; }
  std::vector<Rule> rules(std::string_view grid, const ContainerInput& input) const final;
  Verdict accepts(const Grid& grid, const TensorUse& use) const final;
  std::string fallback(const Grid& grid, const Weight& weight) const final;
  Layout layout(const ContainerInput& input, std::span<const Assignment> assignments) const final;

 protected:
  /// Which grids it holds, for people: "hf-gptq holds ...".
  virtual std::string_view held() const = 0;
  virtual bool holds(const Grid& grid) const = 0;
  /// What a grid that is held, or of floats, says of the folder's floats; nullptr: nothing.
  virtual const FloatType* type_in(const Grid& grid) const { return float_type_in(grid); }
  /// Why a module of that shape can't be on a grid that is held; empty: it can.
  virtual std::string why_not(const Grid& grid, const TensorUse& use) const = 0;
  /// path: the module's; type: what floats are.
  virtual CodedModule coded(const Grid& grid, const TensorUse& use, const std::string& path,
                            const FloatType& type) const = 0;
  /// "quantization_config".
  virtual Json statement(std::span<const FolderModule> modules, const FloatType& type) const = 0;
  /// What the runtime computes otherwise.
  virtual std::vector<std::string> notes(std::span<const FolderModule> modules) const = 0;
};

}  // namespace zp
