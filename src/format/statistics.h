// Our own statistics files: second moments, ranges and histograms of the inputs of a model's linear
// layers on a text.
//
//   0   8  "zpstats\n"
//   8   4  u32 version, 2
//   12  4  u32 entries
//   16  8  u64 model: a hash, see calibrate/stored_statistics.h
//   24  8  u64 tokens
//   32  8  u64 context, tokens of a window; windows: tokens / context
//   40  8  u64 checksum (base/hash.h) of bytes [0, 40), of the entries' heads, then of each part of
//          each entry's data
//   48     entries' heads, 48 bytes each:
//            0  20  role as --set spells it, padded with zeros
//            20  4  u32 expert and one; 0: of no expert
//            24  8  i64 layer, -1: none
//            32  8  u64 columns n
//            40  8  u64 rows that were summed; 0 for an expert
//   ...    entries' data, one after another, of an expert in two parts:
//            u64 rows that were summed, u64 tokens of the text that go through the expert: known
//            only when the text was gone over
//            the lower triangle of sum x x^T, as below
//          of others in five:
//            the lower triangle of sum x x^T, row after row, n (n + 1) / 2 x f32
//            the smallest value of each column, n x f32
//            the largest, n x f32
//            the smallest and the largest value of each window, windows x 2 f32
//            the histogram of all values: u64 b, then b x u64: bin in the upper 16 bits
//            (observer/histogram.h), count in the lower 48; bins ascending, none empty
//
// All little endian. Nothing else may stand in the file. Version 1 had neither ranges nor
// histograms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/hash.h"
#include "base/view.h"

namespace zp {

struct StatisticsEntry {
  std::string role;
  std::int64_t layer = -1;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  std::int64_t expert = -1;  ///< -1: of none
  std::int64_t tokens = 0;   ///< of the text, that go through the expert
  // As stored; empty while it isn't written.
  Bytes triangle = {};
  Bytes lowest = {};
  Bytes highest = {};
  Bytes windows = {};
  Bytes bins = {};  ///< without their number

  std::int64_t floats() const { return columns * (columns + 1) / 2; }
};

/// A bin of a histogram as the file has it.
struct StatisticsBin {
  std::uint16_t bin;
  std::uint64_t count;  ///< below 2^48

  static StatisticsBin from(std::uint64_t stored) {
    return {static_cast<std::uint16_t>(stored >> 48), stored & ((std::uint64_t{1} << 48) - 1)};
  }
  std::uint64_t stored() const { return std::uint64_t{bin} << 48 | count; }
};

/// What an entry of no expert is made of, see above; borrowed.
struct StatisticsData {
  Floats triangle;
  Floats lowest;
  Floats highest;
  Floats windows;
  std::span<const std::uint64_t> bins;
};

struct StatisticsHead {
  std::uint64_t model = 0;
  std::int64_t tokens = 0;
  std::int64_t context = 0;
  std::vector<StatisticsEntry> entries;
};

bool is_statistics(Bytes file);
/// Entries borrow the file. Everything is checked against the bytes that are there, the checksum
/// too; ranges are finite and in order, histograms hold every value once; an expert has no more
/// rows than the text. Throws Error.
StatisticsHead read_statistics(Bytes file, const std::string& where);

/// Writes entry after entry; the file appears on commit().
class StatisticsWriter {
 public:
  /// Throws Error as AtomicFile does. What is reserved on the disk lacks the histograms.
  StatisticsWriter(const std::filesystem::path& path, const StatisticsHead& head, bool replace);

  /// Of what is written.
  std::int64_t bytes() const { return at_; }
  /// The next entry's. REQUIRES: in the order of the head's entries.
  void add(const StatisticsData& data);
  /// The next entry's, of an expert.
  void add_expert(std::int64_t rows, std::int64_t tokens, Floats triangle);
  /// REQUIRES: all entries were added; called once.
  void commit();

 private:
  void write(Bytes part);

  std::unique_ptr<AtomicFile> file_;
  Hash64 checksum_;
  std::int64_t at_ = 0;
};

}  // namespace zp
