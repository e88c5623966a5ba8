// The tensor types of ggml, one row each: ids of ggml.h (removed ones are absent), blocks of
// ggml-common.h, llama_ftype of llama.h. Types that are never stored or whose blocks no grid here
// has keep an empty grid.
#include <array>

#include "format/gguf.h"

namespace zp::gguf {
namespace {

constexpr std::array kTypes = {
    Type{0, "F32", "fp32", 1, 4, 0},
    Type{1, "F16", "fp16", 1, 2, 1},
    Type{2, "Q4_0", "q4_0", 32, 18, 2},
    Type{3, "Q4_1", "q4_1", 32, 20, 3},
    Type{6, "Q5_0", "q5_0", 32, 22, 8},
    Type{7, "Q5_1", "q5_1", 32, 24, 9},
    Type{8, "Q8_0", "q8_0", 32, 34, 7},
    Type{9, "Q8_1", "", 32, 36, -1},
    Type{10, "Q2_K", "q2_k", 256, 84, 10},
    Type{11, "Q3_K", "q3_k", 256, 110, 12},
    Type{12, "Q4_K", "q4_k", 256, 144, 15},
    Type{13, "Q5_K", "q5_k", 256, 176, 17},
    Type{14, "Q6_K", "q6_k", 256, 210, 18},
    Type{15, "Q8_K", "", 256, 292, -1},
    Type{16, "IQ2_XXS", "iq2_xxs", 256, 66, 19},
    Type{17, "IQ2_XS", "iq2_xs", 256, 74, 20},
    Type{18, "IQ3_XXS", "iq3_xxs", 256, 98, 23},
    Type{19, "IQ1_S", "iq1_s", 256, 50, 24},
    Type{20, "IQ4_NL", "iq4_nl", 32, 18, 25},
    Type{21, "IQ3_S", "iq3_s", 256, 110, 26},
    Type{22, "IQ2_S", "iq2_s", 256, 82, 28},
    Type{23, "IQ4_XS", "iq4_xs", 256, 136, 30},
    Type{24, "I8", "", 1, 1, -1},
    Type{25, "I16", "", 1, 2, -1},
    Type{26, "I32", "", 1, 4, -1},
    Type{27, "I64", "", 1, 8, -1},
    Type{28, "F64", "fp64", 1, 8, -1},
    Type{29, "IQ1_M", "iq1_m", 256, 56, 31},
    Type{30, "BF16", "bf16", 1, 2, 32},
    Type{34, "TQ1_0", "tq1_0", 256, 54, 36},
    Type{35, "TQ2_0", "tq2_0", 256, 66, 37},
    // mxfp4 and nvfp4 alone are the grids whose codes and scales lie in planes
    // (grid/microscaled.cc).
    Type{39, "MXFP4", "mxfp4:blocks", 32, 17, 38},
    Type{40, "NVFP4", "nvfp4:blocks", 64, 36, 39},
    Type{41, "Q1_0", "q1_0", 128, 18, 40},
    Type{42, "Q2_0", "q2_0", 64, 18, 41},
};

}  // namespace

const Type* type_of_id(std::int32_t id) {
  for (const Type& t : kTypes) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

const Type* type_of_grid(std::string_view grid) {
  for (const Type& t : kTypes) {
    if (!grid.empty() && t.grid == grid) return &t;
  }
  return nullptr;
}

}  // namespace zp::gguf
