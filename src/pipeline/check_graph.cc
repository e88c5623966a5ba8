#include "pipeline/check_graph.h"

#include "container/onnx_graph.h"
#include "container/openvino_graph.h"

namespace zp {

void check_graph(const Checkpoint& checkpoint, const Model& model) {
  const std::string where = checkpoint.path.string();
  if (checkpoint.onnx_graph) check_onnx_graph(*checkpoint.onnx_graph, model, where);
  if (checkpoint.openvino_graph) check_openvino_graph(*checkpoint.openvino_graph, model, where);
}

}  // namespace zp
