// Writes a checkpoint of a known model's shapes: config.json and model.safetensors, F16. Weights
// are drawn from 2^22 samples of Student's t with 5 degrees of freedom, times 0.02: the heavy tails
// of trained weights.
//
//   synthetic FOLDER [LAYERS] [MODEL]      all layers if not said, or 0
//   synthetic FOLDER CONFIG.json           the shapes that a file says
//
//   llama-3.2-1b     with a vocabulary of 32,000, tied (2.08 GB); what is written if not said
//   phi-3.5-mini     plain RoPE (7.64 GB)
//   qwen3-30b-a3b    vocabulary 32,000 (1.39 GB for one layer)
//   phi-3.5-moe      plain RoPE (3.13 GB for one layer)
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
#include "base/json.h"
#include "base/parallel.h"
#include "base/random.h"
#include "format/safetensors.h"
#include "model/architecture.h"
#include "number/half.h"

namespace {

struct Shapes {
  std::string_view name;
  int layers;
  std::string_view config;
};
constexpr Shapes kModels[] = {
    {"llama-3.2-1b", 16,
     R"("architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2048,
 "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
 "vocab_size": 32000, "max_position_embeddings": 131072, "rope_theta": 500000.0,
 "tie_word_embeddings": true)"},
    {"phi-3.5-mini", 32,
     R"("architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_size": 3072,
 "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 32,
 "vocab_size": 32064, "max_position_embeddings": 4096, "rope_theta": 10000.0,
 "tie_word_embeddings": false)"},
    {"qwen3-30b-a3b", 48,
     R"("architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 2048,
 "intermediate_size": 6144, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
 "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768,
 "norm_topk_prob": true, "vocab_size": 32000, "max_position_embeddings": 40960,
 "rope_theta": 1000000.0, "tie_word_embeddings": false)"},
    {"phi-3.5-moe", 32,
     R"("architectures": ["PhiMoEForCausalLM"], "model_type": "phimoe", "hidden_size": 4096,
 "intermediate_size": 6400, "num_attention_heads": 32, "num_key_value_heads": 8,
 "num_local_experts": 16, "num_experts_per_tok": 2, "attention_bias": true, "lm_head_bias": true,
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

const Shapes& find_model(std::string_view name) {
  for (const Shapes& m : kModels) {
    if (m.name == name) return m;
  }
  std::fprintf(stderr, "no shapes of \"%s\"\n", std::string(name).c_str());
  std::exit(2);
}

std::string config_of(const std::vector<std::string>& words) {
  if (!words.empty() && words[0].ends_with(".json")) {
    std::ifstream file(words[0]);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const Shapes& m = find_model(words.size() > 1 ? words[1] : std::string(kModels[0].name));
  const int asked = words.empty() ? 0 : std::atoi(words[0].c_str());
  return "{" + std::string(m.config) +
         ",\n \"num_hidden_layers\": " + std::to_string(asked > 0 ? asked : m.layers) +
         R"(, "hidden_act": "silu", "rms_norm_eps": 1e-05, "torch_dtype": "float16"})" + "\n";
}

zp::safetensors::Header header_of(const std::string& text) {
  const zp::Json config = zp::parse_json(text, "config.json");
  const zp::Architecture& architecture = zp::find_architecture(config, "config.json");
  zp::safetensors::Header header;
  for (const zp::TensorUse& use :
       tensor_uses(architecture, architecture.read_config(config, "config.json"))) {
    header.tensors.push_back({use.hf, zp::DType::f16, use.shape(zp::World::hf), 0, 0});
  }
  return header;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4 || argv[1][0] == '-') {
    std::fprintf(stderr,
                 "usage: synthetic FOLDER [LAYERS] [MODEL], synthetic FOLDER CONFIG.json\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const std::string config = config_of(std::vector<std::string>(argv + 2, argv + argc));
  std::ofstream(folder / "config.json") << config;

  zp::safetensors::Header header = header_of(config);
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
