#include "source/read_model.h"

#include "base/error.h"
#include "source/gguf_decoder.h"
#include "source/gguf_vocabulary.h"
#include "source/quantized.h"
#include "source/unread_files.h"
#include "text/read_tokenizer.h"

namespace zp {
namespace {

std::string config_path(const Checkpoint& checkpoint) {
  return (checkpoint.folder / "config.json").string();
}

/// A pair's text if it is printable, else empty.
std::string text_of(const Checkpoint& checkpoint, std::string_view key) {
  for (const gguf::Pair& pair : checkpoint.metadata) {
    const auto* text = std::get_if<std::string>(&pair.value);
    if (pair.key == key && text != nullptr && printable(*text, text->size()) == *text) return *text;
  }
  return {};
}

Decoder decoder_of(const Architecture& architecture, const Checkpoint& checkpoint) {
  return checkpoint.world == World::gguf
             ? read_gguf_decoder(architecture, checkpoint)
             : architecture.read_config(checkpoint.config(), config_path(checkpoint));
}

}  // namespace

const Architecture& architecture_of(const Checkpoint& checkpoint) {
  if (checkpoint.world == World::gguf) return find_gguf_architecture(checkpoint);
  if (checkpoint.config().is_null()) {
    const std::string adapter = describe_adapter(checkpoint.folder);
    throw Error(checkpoint.path.string(), "can't tell what the model computes",
                "config.json beside the weights", adapter.empty() ? "none" : adapter);
  }
  return find_architecture(checkpoint.config(), config_path(checkpoint));
}

Model read_model(const Checkpoint& checkpoint) {
  const std::string where = checkpoint.path.string();
  if (checkpoint.graph && checkpoint.graph->producer != onnx::kOwnProducer) {
    throw Error(where, "an ONNX graph of which the tensors alone are read, no model",
                "one that " + std::string(onnx::kOwnProducer) + " wrote",
                "one of \"" + printable(checkpoint.graph->producer) + "\"");
  }
  const Architecture& architecture = architecture_of(checkpoint);
  if (checkpoint.tensors.empty()) {
    throw Error(where, "no tensors, so no model", {},
                checkpoint.world == World::gguf ? "a vocabulary alone" : "an empty file");
  }
  refuse_quantized(checkpoint);
  Decoder decoder = decoder_of(architecture, checkpoint);
  if (decoder.layers > std::ssize(checkpoint.tensors)) {
    throw Error(where, "more layers than the checkpoint has tensors", {},
                std::to_string(decoder.layers));
  }
  return bind_model(architecture, std::move(decoder), checkpoint.tensors, where, checkpoint.world);
}

std::optional<Tokenizer> tokenizer_of(const Checkpoint& checkpoint) {
  return checkpoint.world == World::gguf
             ? read_gguf_tokenizer(checkpoint.metadata, checkpoint.path.string())
             : read_tokenizer(checkpoint.folder);
}

std::optional<std::string> title_of(const Checkpoint& checkpoint) {
  std::string name = text_of(checkpoint, "general.name");
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

std::string pre_tokenizer_of(const Checkpoint& checkpoint) {
  const bool bytes = text_of(checkpoint, "tokenizer.ggml.model") == "gpt2";
  return bytes ? text_of(checkpoint, "tokenizer.ggml.pre") : std::string();
}

}  // namespace zp
