// How the rows of a matrix of small numbers lie in a file: packing, as data.
//
// Here a row is elements of some bits each, one behind the other from the lowest bit of a byte on.
// Files have them otherwise: in wider words, a word's elements from one row or from one column, the
// array of words turned, the elements of a word in another order, counted from another zero.
//
//                                      word  along   transposed  order     add
//   GGUF, MLX                          any   row
//   ONNX, codes of signed grids          8   row                           half of the range
//         an expert's gate and up        8   row, of two planes by turns
//   OpenVINO                             8   tensor
//   compressed-tensors  codes           32   row
//                       zeros           32   column
//   GPTQ                codes           32   row     yes
//                       zeros           32   column  yes                   -1 (version 1)
//                       scales          16   row     yes
//   AWQ                 codes, zeros    32   column  yes         02461357
//                       scales          16   row     yes
//
// Both directions follow from one function, which says in which word an element lies.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "base/view.h"

namespace zp {

/// Where the elements of one word come from.
enum class WordsAlong {
  row,     ///< one row, which fills whole words
  column,  ///< one column of neighbouring rows; the last word of a column may have fewer
  tensor,  ///< all rows, which run on: a word may end one and begin the next
};

/// A matrix of elements. Rows begin with a byte.
struct PlaneShape {
  std::int64_t rows = 0;
  std::int64_t cols = 0;  ///< elements of a row
  std::int64_t bits = 0;  ///< of an element: up to 16, or 32; where rows stay as they are, any

  std::int64_t row_bytes() const;
};

/// Words are little-endian, with the first of their elements in the lowest bits. What no element
/// fills is zero; but the rest of a row's last byte counts as elements along rows.
struct PlaneForm {
  int word = 8;  ///< bits: 8, 16, 32 or 64
  WordsAlong along = WordsAlong::row;
  /// The array of words [rows, columns], one of them divided by what a word holds, has its columns
  /// outermost.
  bool transposed = false;
  /// Of each eight elements along a word, position p holds element order[p], of the same word.
  std::array<std::uint8_t, 8> order = {0, 1, 2, 3, 4, 5, 6, 7};
  std::uint32_t add = 0;  ///< to every element, modulo 2^bits
  /// Rows of words begin so many rows' lengths apart: between them lie rows of other planes. Where
  /// it isn't 1, words are along rows and nothing is transposed.
  std::int64_t spacing = 1;

  bool operator==(const PlaneForm&) const = default;
};

/// As it lies in a file. Borrowed.
struct PackedPlane {
  Bytes bytes;
  PlaneForm form;
};

/// The plane's array of words, outermost dimension first, without what lies between its rows.
std::array<std::int64_t, 2> word_shape(const PlaneForm& form, const PlaneShape& shape);
/// Bytes from its first to its last. Throws Error beyond 64 bits.
std::int64_t file_bytes(const PlaneForm& form, const PlaneShape& shape);
/// Rows that share words with no other ones: a tile's first row is a multiple of it.
std::int64_t rows_together(const PlaneForm& form, const PlaneShape& shape);

/// Some bytes of the file, at an offset from the plane's first.
using WriteAt = std::function<void(std::int64_t offset, Bytes bytes)>;

/// Rows [begin, begin + count) of the plane, as the file has them: count a multiple of
/// rows_together() too, unless they are the last. rows: count x shape.row_bytes().
void pack_rows(const PlaneForm& form, const PlaneShape& shape, std::int64_t begin,
               std::int64_t count, Bytes rows, const WriteAt& write);

/// The way back, for any rows. file: file_bytes() of the plane; rows: as above.
void unpack_rows(const PlaneForm& form, const PlaneShape& shape, Bytes file, std::int64_t begin,
                 std::int64_t count, std::span<std::byte> rows);

}  // namespace zp
