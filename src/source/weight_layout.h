// How other programs store quantized weights in Hugging Face's folders: several tensors of a module,
// "X.qweight", "X.scales" ..., which become one, "X.weight", whose rows are decoded.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"

namespace zp {

struct WeightLayout {
  /// By what config.json's quantization_config, or another file for it, says: an object.
  bool (*recognizes)(const Json& quantization);
  /// Joins the checkpoint's modules. `where` is what messages about `quantization` begin with.
  /// Throws Error for what it doesn't read, and for parts that don't fit together.
  void (*join)(Checkpoint& checkpoint, const Json& quantization, const std::string& where);
};

/// Joins the modules of a checkpoint whose folder states a layout that is known here, and takes
/// the statement out of the config. Of others it does nothing.
void join_weight_layouts(Checkpoint& checkpoint);

/// The tensors of one module.
class Module {
 public:
  /// used: of each of the checkpoint's tensors whether a module has taken it.
  Module(const Checkpoint& checkpoint, std::string path, std::vector<bool>& used)
      : checkpoint_(checkpoint), path_(std::move(path)), used_(used) {}

  const std::string& path() const { return path_; }
  /// What messages begin with.
  std::string place() const;
  /// The module's tensor of that name, which is now part of its weight; nullptr: it has none.
  const Tensor* take(std::string_view part);
  /// The same; throws Error where it has none.
  const Tensor& need(std::string_view part);
  /// An empty weight of the module.
  Tensor weight(std::string type, std::int64_t rows, std::int64_t cols) const;

 private:
  const Checkpoint& checkpoint_;
  std::string path_;
  std::vector<bool>& used_;
};

/// Has `join` make the weight of every module that has a tensor of that name, in the place of all
/// that it takes.
void join_modules(Checkpoint& checkpoint, std::string_view part,
                  const std::function<Tensor(Module& module)>& join);

/// "4 x 8", and with its type "int32 of 4 x 8", for messages.
std::string shape_text(std::span<const std::int64_t> shape);
std::string described(const Tensor& tensor);
/// Throws Error unless the tensor has this type and shape.
void check_part(const Tensor& tensor, std::string_view type, std::span<const std::int64_t> shape,
                const std::string& place);

}  // namespace zp
