// Which tensor gets which type under each name, as llama.cpp's llama-quantize (src/llama-quant.cpp,
// August 2026) decides; general.file_type is its llama_ftype. Fused query, key and value count as
// value there. Its exceptions for single architectures (Falcon) are left out, and that its mxfp4 has
// experts alone in that type.
#include "container/gguf_mixtures.h"

#include <array>

#include "format/gguf.h"

namespace zp {
namespace {

using L = Layers;
using W = When;
constexpr std::string_view kValue = "value,qkv";
constexpr std::string_view kOut = "attention_output";

constexpr std::array kQ2K = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::always, "q3_k"},
    MixtureLine{"down", L::all, 0, W::always, "q3_k"},
    MixtureLine{kOut, L::all, 0, W::always, "q3_k"},
};
constexpr std::array kQ2KS = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{"down", L::first_part, 8, W::always, "q4_k"},
};
constexpr std::array kQ3KS = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
};
constexpr std::array kQ3KM = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::first, 2, W::always, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::always, "q4_k"},
    MixtureLine{"down", L::first_part, 16, W::always, "q5_k"},
    MixtureLine{"down", L::all, 0, W::always, "q4_k"},
    MixtureLine{kOut, L::all, 0, W::always, "q4_k"},
};
constexpr std::array kQ3KL = {
    MixtureLine{kValue, L::all, 0, W::always, "q5_k"},
    MixtureLine{"down", L::all, 0, W::always, "q5_k"},
    MixtureLine{kOut, L::all, 0, W::always, "q5_k"},
};
constexpr std::array kQ4KS = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::first, 4, W::always, "q5_k"},
    MixtureLine{"down", L::first_part, 8, W::always, "q5_k"},
};
constexpr std::array kQ4KM = {
    MixtureLine{kValue, L::outer_third, 0, W::always, "q6_k"},
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{"down", L::outer_third, 0, W::always, "q6_k"},
};
constexpr std::array kQ5KM = {
    MixtureLine{kValue, L::outer_third, 0, W::always, "q6_k"},
    MixtureLine{"down", L::outer_third, 0, W::always, "q6_k"},
};
constexpr std::array kIQ1 = {
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::many_experts, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::always, "q2_k"},
    MixtureLine{"down", L::first_part, 8, W::always, "q2_k"},
    MixtureLine{kOut, L::all, 0, W::always, "iq2_xxs"},
};
constexpr std::array kIQ2X = {
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::many_experts, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::always, "q2_k"},
    MixtureLine{"down", L::first_part, 8, W::always, "q2_k"},
};
constexpr std::array kIQ2SM = {
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::many_experts, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::always, "iq3_s"},
    MixtureLine{"down", L::first_part, 8, W::always, "iq3_s"},
    MixtureLine{kOut, L::all, 0, W::always, "iq3_s"},
};
constexpr std::array kIQ3XXS = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{kValue, L::all, 0, W::unweighted, "iq3_s"},
    MixtureLine{"key,query", L::all, 0, W::always, "iq2_s"},
    MixtureLine{"down", L::first_part, 8, W::unweighted, "q4_k"},
    MixtureLine{"down", L::all, 0, W::unweighted, "q3_k"},
    MixtureLine{kOut, L::all, 0, W::always, "iq3_s"},
};
constexpr std::array kIQ3XS = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
    MixtureLine{"key,query", L::all, 0, W::always, "iq3_xxs"},
    MixtureLine{"gate,up,gate_up", L::inner, 0, W::always, "iq3_xxs"},
};
constexpr std::array kIQ3S = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q4_k"},
};
constexpr std::array kIQ3M = {
    MixtureLine{kValue, L::all, 0, W::large, "q5_k"},
    MixtureLine{kValue, L::all, 0, W::always, "q4_k"},
    MixtureLine{"down", L::first_part, 8, W::always, "q4_k"},
    MixtureLine{kOut, L::all, 0, W::always, "q4_k"},
};
constexpr std::array kIQ4 = {
    MixtureLine{kValue, L::all, 0, W::shared_keys, "q5_k"},
    MixtureLine{"down", L::first_part, 8, W::unweighted, "q5_k"},
};
constexpr std::array kQ40 = {
    MixtureLine{"down", L::first_part, 8, W::weighted, "q4_1"},
};
constexpr std::array kQ50 = {
    MixtureLine{"down", L::first_part, 8, W::weighted, "q5_1"},
};

// Of eight experts: what is small beside them.
constexpr std::string_view kSmall = "value,qkv,key";
constexpr std::array kEight = {
    MixtureLine{kSmall, L::all, 0, W::always, "q8_0"},
};
constexpr std::array kEightOut = {
    MixtureLine{kSmall, L::all, 0, W::always, "q8_0"},
    MixtureLine{kOut, L::all, 0, W::always, "q5_k"},
};
constexpr std::array kEightQ3KL = {
    MixtureLine{kSmall, L::all, 0, W::always, "q8_0"},
    MixtureLine{kOut, L::all, 0, W::always, "q3_k"},
};
constexpr std::array kEightIQ3M = {
    MixtureLine{kSmall, L::all, 0, W::always, "q8_0"},
    MixtureLine{kOut, L::all, 0, W::always, "q5_k"},
    MixtureLine{"down", L::outer_third, 0, W::always, "q4_k"},
};
constexpr std::array kEightLow = {
    MixtureLine{"key", L::all, 0, W::always, "q4_k"},
    MixtureLine{kOut, L::all, 0, W::always, "q5_k"},
};

constexpr std::array kMixtures = {
    Mixture{"q8_0", "q8_0", "q8_0", "", 7, {}, {}},
    Mixture{"q6_k", "q6_k", "q6_k", "", 18, {}, kEight},
    Mixture{"q5_k_m", "q5_k", "q6_k", "", 17, kQ5KM, kEight},
    Mixture{"q5_k_s", "q5_k", "q6_k", "", 16, {}, kEight},
    Mixture{"q5_1", "q5_1", "q6_k", "", 9, {}, kEight},
    Mixture{"q5_0", "q5_0", "q6_k", "", 8, kQ50, kEight},
    Mixture{"q4_k_m", "q4_k", "q6_k", "", 15, kQ4KM, kEightOut},
    Mixture{"q4_k_s", "q4_k", "q6_k", "", 14, kQ4KS, kEightOut},
    Mixture{"q4_1", "q4_1", "q6_k", "", 3, {}, kEight},
    Mixture{"q4_0", "q4_0", "q6_k", "", 2, kQ40, kEight},
    Mixture{"iq4_nl", "iq4_nl", "q6_k", "", 25, kIQ4, kEightOut},
    Mixture{"iq4_xs", "iq4_xs", "q6_k", "", 30, kIQ4, kEightOut},
    Mixture{"mxfp4", "mxfp4:blocks", "q8_0", "", 38, {}, kEight},
    Mixture{"nvfp4", "nvfp4:blocks", "q8_0", "", 39, {}, kEight},
    Mixture{"q3_k_l", "q3_k", "q6_k", "", 13, kQ3KL, kEightQ3KL},
    Mixture{"q3_k_m", "q3_k", "q6_k", "", 12, kQ3KM, kEightOut},
    Mixture{"q3_k_s", "q3_k", "q6_k", "", 11, kQ3KS, kEightOut},
    Mixture{"iq3_m", "iq3_s", "q6_k", "", 27, kIQ3M, kEightIQ3M},
    Mixture{"iq3_s", "iq3_s", "q6_k", "", 26, kIQ3S, kEightOut},
    Mixture{"iq3_xs", "iq3_s", "q6_k", "", 22, kIQ3XS, kEightOut},
    Mixture{"iq3_xxs", "iq3_xxs", "q5_k", "iq3_s", 23, kIQ3XXS, kEightOut},
    Mixture{"q2_k", "q2_k", "q6_k", "", 10, kQ2K, kEightOut},
    Mixture{"q2_k_s", "q2_k", "q6_k", "", 21, kQ2KS, kEight},
    Mixture{"iq2_m", "iq2_s", "q5_k", "iq3_s", 29, kIQ2SM, kEightLow},
    Mixture{"iq2_s", "iq2_xs", "q5_k", "iq3_s", 28, kIQ2SM, kEightLow},
    Mixture{"iq2_xs", "iq2_xs", "q5_k", "q2_k", 20, kIQ2X, kEightLow},
    Mixture{"iq2_xxs", "iq2_xxs", "q5_k", "q2_k", 19, kIQ2X, kEightLow},
    Mixture{"tq2_0", "tq2_0", "q6_k", "q4_k", 37, {}, kEight},
    Mixture{"tq1_0", "tq1_0", "q6_k", "q4_k", 36, {}, kEight},
    Mixture{"iq1_m", "iq1_m", "q5_k", "q2_k", 31, kIQ1, kEightLow},
    Mixture{"iq1_s", "iq1_s", "q5_k", "q2_k", 24, kIQ1, kEightLow},
};

struct Fallback {
  std::string_view grid;
  std::string_view instead;
};

// llama.cpp's, but iq4_nl where it takes q4_0 for q2_k and q3_k: as many bytes, less error. What is
// ternary q4_0 keeps exactly.
constexpr std::array kFallbacks = {
    Fallback{"q6_k", "q8_0"},      Fallback{"q5_k", "q5_1"},
    Fallback{"q4_k", "q5_0"},      Fallback{"q3_k", "iq4_nl"},
    Fallback{"q2_k", "iq4_nl"},    Fallback{"iq4_xs", "iq4_nl"},
    Fallback{"iq3_s", "iq4_nl"},   Fallback{"iq3_xxs", "iq4_nl"},
    Fallback{"iq2_s", "iq4_nl"},   Fallback{"iq2_xs", "iq4_nl"},
    Fallback{"iq2_xxs", "iq4_nl"}, Fallback{"iq1_m", "iq4_nl"},
    Fallback{"iq1_s", "iq4_nl"},   Fallback{"tq2_0", "q4_0"},
    Fallback{"tq1_0", "q4_0"},     Fallback{"nvfp4:blocks", "mxfp4:blocks"},
};

}  // namespace

std::span<const Mixture> gguf_mixtures() { return kMixtures; }

std::string_view gguf_fallback(std::string_view grid) {
  for (const Fallback& f : kFallbacks) {
    if (f.grid == grid) return f.instead;
  }
  const gguf::Type* type = gguf::type_of_grid(grid);
  return type != nullptr && type->block > 1 ? "fp16" : "";
}

}  // namespace zp
