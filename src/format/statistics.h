// Our own statistics files: second moments of the inputs of a model's linear layers on a text.
//
//   0   8  "zpstats\n"
//   8   4  u32 version, 1
//   12  4  u32 entries
//   16  8  u64 model: a hash, see calibrate/statistics.h
//   24  8  u64 tokens
//   32  8  u64 context, tokens of a window
//   40  8  u64 checksum (base/hash.h) of bytes [0, 40), of the entries' heads, then of each entry's
//   data 48     entries' heads, 48 bytes each:
//            0  24  role as --set spells it, padded with zeros
//            24  8  i64 layer, -1: none
//            32  8  u64 columns n
//            40  8  u64 rows that were summed
//   ...    entries' data, one after another: the lower triangle of sum x x^T, row after row, n (n +
//   1) / 2
//          x f32
//
// All little endian. Nothing else may stand in the file.
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
  Bytes triangle = {};  ///< as stored; empty while it isn't written

  std::int64_t floats() const { return columns * (columns + 1) / 2; }
};

struct StatisticsHead {
  std::uint64_t model = 0;
  std::int64_t tokens = 0;
  std::int64_t context = 0;
  std::vector<StatisticsEntry> entries;
};

bool is_statistics(Bytes file);
/// Entries borrow the file. Everything is checked against the bytes that are there, the checksum
/// too. Throws Error.
StatisticsHead read_statistics(Bytes file, const std::string& where);

/// Writes entry after entry; the file appears on commit().
class StatisticsWriter {
 public:
  /// Throws Error as AtomicFile does.
  StatisticsWriter(const std::filesystem::path& path, const StatisticsHead& head, bool replace);

  std::int64_t bytes() const { return bytes_; }
  /// The next entry's floats().
  void add(Floats triangle);
  /// When all entries are there.
  void commit();

 private:
  std::int64_t bytes_;
  std::unique_ptr<AtomicFile> file_;
  Hash64 checksum_;
  std::int64_t at_ = 0;
};

}  // namespace zp
