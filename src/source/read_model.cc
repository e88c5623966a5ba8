#include "source/read_model.h"

#include "base/error.h"
#include "source/quantized.h"

namespace zp {
namespace {

void check_producer(const char* kind, std::string_view producer, std::string_view own,
                    const std::string& where) {
  if (producer == own) return;
  throw Error(where,
              "an " + std::string(kind) + " graph of which the tensors alone are read, no model",
              "one that " + std::string(own) + " wrote", "one of \"" + printable(producer) + "\"");
}

}  // namespace

const Architecture& architecture_of(const Checkpoint& checkpoint) {
  return checkpoint.description->architecture(checkpoint);
}

Model read_model(const Checkpoint& checkpoint) {
  const std::string where = checkpoint.path.string();
  if (checkpoint.onnx_graph)
    check_producer("ONNX", checkpoint.onnx_graph->producer, onnx::kOwnProducer, where);
  if (checkpoint.openvino_graph)
    check_producer("OpenVINO", checkpoint.openvino_graph->producer, openvino::kOwnProducer, where);
  const Architecture& architecture = architecture_of(checkpoint);
  if (checkpoint.tensors.empty()) {
    throw Error(where, "no tensors, so no model", {},
                checkpoint.metadata.empty() ? "an empty file" : "a vocabulary alone");
  }
  refuse_quantized(checkpoint);
  Decoder decoder = checkpoint.description->decoder(architecture, checkpoint);
  if (decoder.layers > std::ssize(checkpoint.tensors)) {
    throw Error(where, "more layers than the checkpoint has tensors", {},
                std::to_string(decoder.layers));
  }
  return bind_model(architecture, std::move(decoder), checkpoint.tensors, where, checkpoint.world);
}

std::optional<Tokenizer> tokenizer_of(const Checkpoint& checkpoint) {
  return checkpoint.description->tokenizer(checkpoint);
}

std::vector<gguf::Pair> provenance_of(const Checkpoint& checkpoint) {
  return checkpoint.description->provenance(checkpoint);
}

std::optional<std::string> title_of(const Checkpoint& checkpoint) {
  return checkpoint.description->title(checkpoint);
}

std::string pre_tokenizer_of(const Checkpoint& checkpoint) {
  return checkpoint.description->pre_tokenizer(checkpoint);
}

}  // namespace zp
