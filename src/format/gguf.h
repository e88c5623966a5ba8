// GGUF v3, the file of llama.cpp: the words and bytes that its reader and writer share.
// Source: ggml docs/gguf.md and its reader.
//
//   "GGUF" | u32 version | i64 tensors | i64 pairs | pairs | tensor infos | padding | data
//
// A string is u64 length + bytes; an array i32 element type, u64 count, elements. Little endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/view.h"

namespace zp::gguf {

inline constexpr std::int64_t kDefaultAlignment = 32;

using Strings = std::vector<std::string>;
/// Every value type of the format, then their arrays in the same order; gguf_values.h numbers them.
using Value =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, std::uint64_t, std::int64_t, double,
                 std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, Strings, std::vector<std::uint64_t>,
                 std::vector<std::int64_t>, std::vector<double>>;

struct Pair {
  std::string key;
  Value value;
};

/// A tensor type of the format: ggml's id beside our grid's spec, as one table row.
struct Type {
  std::int32_t id;
  std::string_view name;  ///< "Q8_0"
  std::string_view grid;  ///< "q8_0", or empty if no grid has such blocks
  std::int64_t block;     ///< weights in a block
  std::int64_t block_bytes;
  std::int32_t file_type;  ///< llama_ftype when most of a file is of this type, -1 for none
};
const Type* type_of_id(std::int32_t id);
const Type* type_of_grid(std::string_view grid);

struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;  ///< outermost first (the file has it innermost first)
  const Type* type = nullptr;
  std::int64_t offset = 0;  ///< from the beginning of the data
  std::int64_t bytes = 0;
};

struct Header {
  std::vector<Pair> pairs;
  std::vector<TensorInfo> tensors;
  std::int64_t alignment = kDefaultAlignment;  ///< follows the pair general.alignment
  std::int64_t data_begin = 0;                 ///< byte of the file where the data begins

  const Value* find(std::string_view key) const;
};

/// Checks everything against the bytes that are there: counts, lengths, overlap, order, duplicate
/// keys and names, alignment, overflow. `where` begins messages. Throws Error.
Header read_header(Bytes file, const std::string& where);

/// What its shape takes in its type. Throws Error where they don't fit.
std::int64_t stored_bytes(const TensorInfo& tensor);

/// Header bytes up to data_begin, padded. Sets offset and bytes (from shape and type) of each
/// tensor, alignment (from the pair general.alignment) and data_begin.
std::vector<std::byte> write_header(Header& header);

}  // namespace zp::gguf
