// llama.cpp's imatrix files: for each matrix of a model the sum of squares of what comes in at each
// column, over some tokens. Source: llama.cpp tools/imatrix/imatrix.cpp,
// tools/quantize/quantize.cpp.
//
//   GGUF form   general.type "imatrix", imatrix.datasets, imatrix.chunk_count, imatrix.chunk_size;
//   for a
//               matrix NAME the FP32 tensors NAME.in_sum2 (columns x matrices) and NAME.counts (1 x
//               matrices, tokens); others, as NAME.in_sum, are passed over
//   .dat form   i32 entries | each: i32 length, NAME, i32 calls, i32 n, n x f32: mean squares x
//   calls |
//               then, where written: i32 chunks, i32 length, dataset
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"

namespace zp {

struct ImatrixEntry {
  std::string name;         ///< of the tensor, as GGUF names it
  std::vector<float> sums;  ///< of squares; columns, one matrix after the other (experts)
  std::vector<float>
      counts;  ///< one for each matrix: what to divide its sums by; 0: it saw nothing

  /// Mean squares of each column of a matrix; empty when it saw nothing.
  std::vector<float> importance(std::size_t matrix = 0) const;
};

struct Imatrix {
  std::vector<ImatrixEntry> entries;
  std::vector<std::string> datasets;
  std::uint32_t chunks = 0;
  std::uint32_t chunk_size = 0;  ///< tokens; 0: unknown (.dat)
};

/// Either form, by the first bytes. Everything is checked against the bytes that are there; sums
/// and counts must be finite and not negative. Throws Error.
Imatrix read_imatrix(Bytes file, const std::string& where);

/// By what GGUF says of itself; the .dat form has no mark, but a count and a name to begin with.
bool is_imatrix(Bytes file);

std::vector<std::byte> write_imatrix(const Imatrix& imatrix);
/// The .dat form; keeps the last dataset's name, and one count for all matrices of an entry.
std::vector<std::byte> write_imatrix_dat(const Imatrix& imatrix);

}  // namespace zp
