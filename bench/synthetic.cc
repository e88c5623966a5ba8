// Writes a checkpoint of Llama-3.2-1B's shapes with a vocabulary of 32,000 (tied, F16, 2.08 GB):
// config.json and model.safetensors. Weights are drawn from 2^22 samples of Student's t with 5
// degrees of freedom, times 0.02: the heavy tails of trained weights.
//
//   synthetic FOLDER [LAYERS]      16 layers if not said
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "number/half.h"

namespace {

constexpr std::int64_t kHidden = 2048;
constexpr std::int64_t kFfn = 8192;
constexpr std::int64_t kKv = 512;
constexpr std::int64_t kVocabulary = 32000;

std::vector<std::uint16_t> student_t(std::size_t count) {
  zp::Random random(5);
  std::vector<std::uint16_t> samples(count);
  for (std::uint16_t& s : samples) {
    double chi_squared = 0;
    for (int i = 0; i < 5; ++i) {
      const double n = random.normal();
      chi_squared += n * n;
    }
    s = zp::float_to_fp16(static_cast<float>(0.02 * random.normal() / std::sqrt(chi_squared / 5)));
  }
  return samples;
}

zp::safetensors::Header shapes(int layers) {
  zp::safetensors::Header header;
  const auto add = [&header](const std::string& name, std::vector<std::int64_t> shape) {
    header.tensors.push_back({name, zp::DType::f16, std::move(shape), 0, 0});
  };
  add("model.embed_tokens.weight", {kVocabulary, kHidden});
  for (int l = 0; l < layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add(layer + "input_layernorm.weight", {kHidden});
    add(layer + "self_attn.q_proj.weight", {kHidden, kHidden});
    add(layer + "self_attn.k_proj.weight", {kKv, kHidden});
    add(layer + "self_attn.v_proj.weight", {kKv, kHidden});
    add(layer + "self_attn.o_proj.weight", {kHidden, kHidden});
    add(layer + "post_attention_layernorm.weight", {kHidden});
    add(layer + "mlp.gate_proj.weight", {kFfn, kHidden});
    add(layer + "mlp.up_proj.weight", {kFfn, kHidden});
    add(layer + "mlp.down_proj.weight", {kHidden, kFfn});
  }
  add("model.norm.weight", {kHidden});
  return header;
}

void write_config(const std::filesystem::path& folder, int layers) {
  std::ofstream(folder / "config.json")
      << "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_act\": "
         "\"silu\",\n"
      << " \"hidden_size\": 2048, \"intermediate_size\": 8192, \"num_hidden_layers\": " << layers
      << ",\n"
      << " \"num_attention_heads\": 32, \"num_key_value_heads\": 8, \"head_dim\": 64, "
         "\"vocab_size\": 32000,\n"
      << " \"max_position_embeddings\": 131072, \"rms_norm_eps\": 1e-05, \"rope_theta\": "
         "500000.0,\n"
      << " \"tie_word_embeddings\": true, \"torch_dtype\": \"float16\"}\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: synthetic FOLDER [LAYERS]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  int layers = 16;
  if (argc > 2) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), layers);
  std::filesystem::create_directories(folder);
  write_config(folder, layers);

  zp::safetensors::Header header = shapes(layers);
  const std::vector<std::byte> head = zp::safetensors::write_header(header);
  const std::int64_t end = header.tensors.back().begin + header.tensors.back().bytes;
  const std::vector<std::uint16_t> samples = student_t(1 << 22);
  zp::AtomicFile file(folder / "model.safetensors", end, true);
  file.write_at(0, head);
  constexpr std::int64_t kPart = 1 << 22;  // bytes
  const std::int64_t data = static_cast<std::int64_t>(head.size());
  zp::Team().run((end - data + kPart - 1) / kPart, [&](std::int64_t part) {
    zp::Random random(static_cast<std::uint64_t>(part) + 1000);
    const std::int64_t begin = data + part * kPart;
    std::vector<std::uint16_t> values(static_cast<std::size_t>(std::min(kPart, end - begin)) / 2);
    for (std::uint16_t& v : values) v = samples[random.bits() >> 42];
    file.write_at(begin, std::as_bytes(std::span(values)));
  });
  file.commit();
  std::printf("%s: %lld bytes\n", (folder / "model.safetensors").c_str(),
              static_cast<long long>(end));
  return 0;
}
