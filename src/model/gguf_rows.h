// Weights in the form llama.cpp wants and back, and its rotation's own tensors.
//
// Hugging Face rotates dimension i of a head together with dimension i + d/2; llama.cpp's "llama"
// graph rotates neighbours 2i and 2i + 1. So the rows of q and k (and their biases) are
// interleaved: new row 2i + h of a head is its old row i + h d/2. Scales go with their rows, so it
// costs nothing. Its graphs of linear attention take heads of values in tiles: a first one of every
// head of keys, then a second one, ..., where Hugging Face has those of one head of keys together; so
// rows, and columns of what reads them, go to other places; and of the logarithm of a rate x they
// have -e^x. Norms that multiply by 1 + weight hold that sum in GGUF, in FP32; taking 1 off
// again and adding it gives the same sum.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"

namespace zp {

/// nullptr when the rows stay as they are. Borrows weight.rows.
std::unique_ptr<RowReader> gguf_rows(const Weight& weight, const Decoder& decoder);
/// The inverse, of a tensor as GGUF stores it. nullptr when the rows stay as they are.
std::unique_ptr<RowReader> rows_from_gguf(const RowReader& stored, const TensorUse& use,
                                          const Decoder& decoder);

/// Where the columns of a matrix come from; empty: they stay where they are.
std::vector<std::int64_t> gguf_columns(const TensorUse& use, const Decoder& decoder);

/// The weight of a norm that multiplies by 1 + weight, as a runtime has it that multiplies by the
/// sum; nullptr: it is another weight. Borrows weight.rows.
std::unique_ptr<RowReader> norm_and_one(const Weight& weight, const Decoder& decoder);
/// The inverse.
std::unique_ptr<RowReader> norm_without_one(const RowReader& stored, const TensorUse& use,
                                            const Decoder& decoder);

/// What llama.cpp divides the frequency of a pair by that doesn't turn.
inline constexpr float kStill = 1e30f;
inline constexpr std::string_view kRopeFreqs = "rope_freqs.weight";
inline constexpr std::string_view kRopeLong = "rope_factors_long.weight";
inline constexpr std::string_view kRopeShort = "rope_factors_short.weight";
bool is_rope_tensor(std::string_view name);

/// What a frequency is divided by, as llama.cpp reads it: dims / 2 values under this name.
struct RopeTensor {
  std::string name;
  std::vector<float> divisors;
};
/// llama3 and stated divisors: rope_freqs; longrope: both rope_factors; else nothing, or `always`
/// rope_freqs that divide by 1.
std::vector<RopeTensor> gguf_rope_tensors(const Rope& rope, bool always = false);

}  // namespace zp
