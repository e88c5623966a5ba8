// Writes a checkpoint of a known model's shapes: config.json and model.safetensors, F16. Weights
// are drawn from 2^22 samples of Student's t with 5 degrees of freedom, times 0.02: the heavy tails
// of trained weights.
//
//   synthetic FOLDER [LAYERS] [MODEL]      all layers if not said, or 0
//
//   llama-3.2-1b   with a vocabulary of 32,000, tied (2.08 GB); what is written if not said
//   phi-3.5-mini   plain RoPE (7.64 GB)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "number/half.h"

namespace {

struct Shapes {
  std::string_view name;
  int layers;
  std::int64_t hidden;
  std::int64_t ffn;
  std::int64_t kv;
  std::int64_t vocabulary;
  bool fused;  // q, k, v in one tensor, gate and up too; and an untied head
  std::string_view config;
};
constexpr Shapes kModels[] = {
    {"llama-3.2-1b", 16, 2048, 8192, 512, 32000, false,
     R"("architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2048,
 "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
 "vocab_size": 32000, "max_position_embeddings": 131072, "rope_theta": 500000.0,
 "tie_word_embeddings": true)"},
    {"phi-3.5-mini", 32, 3072, 8192, 3072, 32064, true,
     R"("architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_size": 3072,
 "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 32,
 "vocab_size": 32064, "max_position_embeddings": 4096, "rope_theta": 10000.0,
 "tie_word_embeddings": false)"},
};

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

zp::safetensors::Header header_of(const Shapes& m, int layers) {
  zp::safetensors::Header header;
  const auto add = [&header](const std::string& name, std::vector<std::int64_t> shape) {
    header.tensors.push_back({name, zp::DType::f16, std::move(shape), 0, 0});
  };
  add("model.embed_tokens.weight", {m.vocabulary, m.hidden});
  for (int l = 0; l < layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add(layer + "input_layernorm.weight", {m.hidden});
    if (m.fused) {
      add(layer + "self_attn.qkv_proj.weight", {m.hidden + 2 * m.kv, m.hidden});
    } else {
      add(layer + "self_attn.q_proj.weight", {m.hidden, m.hidden});
      add(layer + "self_attn.k_proj.weight", {m.kv, m.hidden});
      add(layer + "self_attn.v_proj.weight", {m.kv, m.hidden});
    }
    add(layer + "self_attn.o_proj.weight", {m.hidden, m.hidden});
    add(layer + "post_attention_layernorm.weight", {m.hidden});
    if (m.fused) {
      add(layer + "mlp.gate_up_proj.weight", {2 * m.ffn, m.hidden});
    } else {
      add(layer + "mlp.gate_proj.weight", {m.ffn, m.hidden});
      add(layer + "mlp.up_proj.weight", {m.ffn, m.hidden});
    }
    add(layer + "mlp.down_proj.weight", {m.hidden, m.ffn});
  }
  add("model.norm.weight", {m.hidden});
  if (m.fused) add("lm_head.weight", {m.vocabulary, m.hidden});
  return header;
}

void write_config(const Shapes& m, const std::filesystem::path& folder, int layers) {
  std::ofstream(folder / "config.json")
      << "{" << m.config << ",\n \"num_hidden_layers\": " << layers
      << ", \"hidden_act\": \"silu\", \"rms_norm_eps\": 1e-05, \"torch_dtype\": \"float16\"}\n";
}

const Shapes& find_model(std::string_view name) {
  for (const Shapes& m : kModels) {
    if (m.name == name) return m;
  }
  std::fprintf(stderr, "no shapes of \"%s\"\n", std::string(name).c_str());
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: synthetic FOLDER [LAYERS] [MODEL]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const Shapes& model = find_model(argc > 3 ? argv[3] : kModels[0].name);
  const int asked = argc > 2 ? std::atoi(argv[2]) : 0;
  const int layers = asked > 0 ? asked : model.layers;
  std::filesystem::create_directories(folder);
  write_config(model, folder, layers);

  zp::safetensors::Header header = header_of(model, layers);
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
