// llama.cpp's GGUF. Types whose blocks no grid here decodes are listed but have no rows. Of a model
// split over files the first has the metadata.
#include "format/gguf.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "source/checkpoint.h"
#include "source/gguf_decoder.h"
#include "source/gguf_latent.h"
#include "source/gguf_parts.h"
#include "source/gguf_vocabulary.h"
#include "source/grid_rows.h"
#include "source/provenance.h"

namespace zp {
namespace {

bool recognizes(Bytes file) {
  constexpr std::array kMagic = {std::byte{'G'}, std::byte{'G'}, std::byte{'U'}, std::byte{'F'}};
  return file.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), file.begin());
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::unique_ptr<Grid> grid_of(const gguf::Type& type) {
  if (type.grid.empty()) return nullptr;
  try {
    return make_grid(type.grid);
  } catch (const UsageError&) {  // no such grid
    return nullptr;
  }
}

Tensor make_tensor(gguf::TensorInfo&& t, Bytes bytes, const std::string& where) {
  const auto [rows, cols] = matrix_shape(t.shape, where);
  Tensor tensor;
  tensor.name = std::move(t.name);
  tensor.shape = std::move(t.shape);
  tensor.bytes = t.bytes;
  // ggml and safetensors share the words for plain types.
  if (const DTypeInfo* dtype = dtype_of_safetensors(t.type->name)) {
    tensor.type = dtype->name;
    if (dtype->floating) tensor.rows = stored_rows(bytes, dtype->dtype, rows, cols);
  } else {
    tensor.type = lower(t.type->name);
    if (auto grid = grid_of(*t.type)) tensor.rows = grid_rows({bytes}, std::move(grid), rows, cols);
  }
  return tensor;
}

// A GGUF file says everything itself; what lies beside it may be another model's.
void complete(Checkpoint& checkpoint) {
  checkpoint.folder.clear();
  check_gguf_parts(checkpoint);
  join_latent_heads(checkpoint);
  checkpoint.generation_config() =
      read_gguf_generation(checkpoint.metadata, checkpoint.path.string());
}

std::optional<Tokenizer> tokenizer(const Checkpoint& checkpoint) {
  return read_gguf_tokenizer(checkpoint.metadata, checkpoint.path.string());
}

std::vector<gguf::Pair> provenance(const Checkpoint& checkpoint) {
  return gguf_provenance(checkpoint.metadata);
}

/// A pair's text if it is printable, else empty.
std::string text_of(const Checkpoint& checkpoint, std::string_view key) {
  for (const gguf::Pair& pair : checkpoint.metadata) {
    const auto* text = std::get_if<std::string>(&pair.value);
    if (pair.key == key && text != nullptr && printable(*text, text->size()) == *text) return *text;
  }
  return {};
}

std::optional<std::string> title(const Checkpoint& checkpoint) {
  std::string name = text_of(checkpoint, "general.name");
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

std::string pre_tokenizer(const Checkpoint& checkpoint) {
  const bool bytes = text_of(checkpoint, "tokenizer.ggml.model") == "gpt2";
  return bytes ? text_of(checkpoint, "tokenizer.ggml.pre") : std::string();
}

constexpr Description kDescription = {
    complete, find_gguf_architecture, read_gguf_decoder, tokenizer, provenance,
    title,    pre_tokenizer};

void read(Bytes file, const std::string& where, Checkpoint& checkpoint) {
  gguf::Header header = gguf::read_header(file, where);
  for (gguf::TensorInfo& t : header.tensors) {
    const auto begin = static_cast<std::size_t>(header.data_begin + t.offset);
    const Bytes bytes = file.subspan(begin, static_cast<std::size_t>(t.bytes));
    checkpoint.add(make_tensor(std::move(t), bytes, where), where);
  }
  if (checkpoint.metadata.empty()) checkpoint.metadata = std::move(header.pairs);
  checkpoint.world = World::gguf;
  checkpoint.description = &kDescription;
}

}  // namespace

extern const SourceKind source_gguf;
const SourceKind source_gguf = {"gguf", "GGUF of llama.cpp, versions 2 and 3, float and quantized",
                                recognizes, read};

}  // namespace zp
