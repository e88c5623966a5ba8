// The whole graph of an ONNX model: the decoder's nodes and its tensors, each with its place.
//
// Written (onnx_folder.cc) and compared: what a model file holds is read back only if it is the
// graph made here from config.json and the tensors' own types, for nothing else in it is run.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "container/onnx_ops.h"
#include "format/onnx.h"

namespace zp {

class OnnxGraph {
 public:
  /// Where plane `plane` of the weight of assignments[weight] lies.
  using Places = std::function<onnx::External(std::size_t weight, std::size_t plane)>;

  /// accuracy_level: MatMulNBits's, see OnnxOps.
  OnnxGraph(const Model& model, std::span<const Assignment> assignments,
            std::int64_t accuracy_level, const Places& places);

  /// Borrows constants of this object.
  const onnx::Model& model() const { return graph_; }

 private:
  onnx::Model graph_;
  OnnxOps ops_;
};

/// `found` as read, `model` as its config.json and tensors have it. Throws Error at `where` with
/// the first difference unless the graph computes what would be written for this model.
void check_onnx_graph(const onnx::Model& found, const Model& model, const std::string& where);

}  // namespace zp
