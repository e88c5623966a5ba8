// vocabulary_gguf FOLDER|FILE.gguf OUT.gguf [PRE_TOKENIZER]
// A model of one layer and zero weights around a tokenizer, so that llama.cpp can load it: that of
// a folder, written by gguf_tokenizer(), or the pairs of another GGUF as they are. Prints, a line
// each, in which texts ids are known to differ.
#include <cstdio>
#include <fstream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/mapped_file.h"
#include "container/gguf_tokenizer.h"
#include "format/gguf.h"
#include "text/read_tokenizer.h"
#include "text/tokenizer.h"

namespace {

constexpr std::int64_t kHidden = 32;

std::vector<zp::gguf::Pair> tokenizer_pairs(const std::string& source, const std::string& pre) {
  if (std::filesystem::is_directory(source)) {
    const std::optional<zp::Tokenizer> tokenizer = zp::read_tokenizer(source);
    if (!tokenizer) throw zp::Error(source, "no tokenizer");
    for (const std::string& note : tokenizer->notes) std::printf("note: %s\n", note.c_str());
    for (const std::string& line : zp::gguf_tokenizer_deviations(*tokenizer)) {
      std::printf("deviation: %s\n", line.c_str());
    }
    const std::filesystem::path generation =
        std::filesystem::path(source) / "generation_config.json";
    const zp::Json config =
        std::filesystem::exists(generation) ? zp::read_json(generation) : zp::Json();
    const auto rows = static_cast<std::int64_t>(tokenizer->tokens.size());
    return zp::gguf_tokenizer(*tokenizer, rows, config, pre, source);
  }
  const zp::MappedFile file(source);
  std::vector<zp::gguf::Pair> pairs;
  for (zp::gguf::Pair& pair : zp::gguf::read_header(file.bytes(), source).pairs) {
    if (pair.key.compare(0, 10, "tokenizer.") != 0) continue;
    if (pair.key == "tokenizer.ggml.pre" && !pre.empty()) pair.value = pre;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

void write(const std::string& path, std::vector<zp::gguf::Pair> pairs) {
  zp::gguf::Header header;
  header.pairs = {{"general.architecture", std::string("llama")},
                  {"general.name", std::string("vocabulary")},
                  {"llama.context_length", std::uint32_t{64}},
                  {"llama.embedding_length", static_cast<std::uint32_t>(kHidden)},
                  {"llama.block_count", std::uint32_t{1}},
                  {"llama.feed_forward_length", static_cast<std::uint32_t>(kHidden)},
                  {"llama.attention.head_count", std::uint32_t{1}},
                  {"llama.attention.layer_norm_rms_epsilon", 1e-5f}};
  std::int64_t rows = 0;
  for (zp::gguf::Pair& pair : pairs) {
    if (pair.key == "tokenizer.ggml.tokens") {
      rows = static_cast<std::int64_t>(std::get<zp::gguf::Strings>(pair.value).size());
    }
    header.pairs.push_back(std::move(pair));
  }
  const zp::gguf::Type* f16 = zp::gguf::type_of_grid("fp16");
  const zp::gguf::Type* f32 = zp::gguf::type_of_grid("fp32");
  header.tensors.push_back({"token_embd.weight", {rows, kHidden}, f16});
  header.tensors.push_back({"output_norm.weight", {kHidden}, f32});
  for (const char* norm : {"attn_norm", "ffn_norm"}) {
    header.tensors.push_back({std::string("blk.0.") + norm + ".weight", {kHidden}, f32});
  }
  for (const char* matrix :
       {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
    header.tensors.push_back({std::string("blk.0.") + matrix + ".weight", {kHidden, kHidden}, f16});
  }
  const std::vector<std::byte> bytes = zp::gguf::write_header(header);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  const zp::gguf::TensorInfo& last = header.tensors.back();
  const std::string zeros(static_cast<std::size_t>(last.offset + last.bytes), '\0');
  out.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
  if (!out) throw zp::Error(path, "can't write");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3 || count > 4) {
    std::fprintf(stderr, "vocabulary_gguf FOLDER|FILE.gguf OUT.gguf [PRE_TOKENIZER]\n");
    return 2;
  }
  try {
    write(arguments[2], tokenizer_pairs(arguments[1], count > 3 ? arguments[3] : ""));
  } catch (const zp::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
