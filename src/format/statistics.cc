#include "format/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/checked.h"
#include "format/cursor.h"

namespace zp {
namespace {

constexpr std::string_view kMagic = "zpstats\n";
constexpr std::uint32_t kVersion = 2;
constexpr std::int64_t kChecksumAt = 40;
constexpr std::int64_t kHead = 48;
constexpr std::int64_t kEntry = 48;
constexpr std::size_t kRole = 20;
constexpr std::int64_t kMostColumns = 1 << 20;
constexpr std::int64_t kMostRows = std::int64_t{1} << 62;

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(T));
  std::memcpy(out.data() + at, &value, sizeof(T));
}

void put_text(std::vector<std::byte>& out, std::string_view text, std::size_t bytes) {
  const std::size_t at = out.size();
  out.resize(at + bytes);
  std::memcpy(out.data() + at, text.data(), std::min(text.size(), bytes));
}

std::int64_t size(Cursor& in, std::string_view what, std::int64_t most) {
  const auto value = in.read<std::uint64_t>(what);
  if (value > static_cast<std::uint64_t>(most)) {
    in.fail(std::string(what) + " out of reach", "at most " + std::to_string(most),
            std::to_string(value));
  }
  return static_cast<std::int64_t>(value);
}

StatisticsEntry read_entry(Cursor& in) {
  StatisticsEntry entry;
  const std::string_view role = as_text(in.take(kRole, "a role"));
  entry.role = role.substr(0, role.find('\0'));
  entry.expert = std::int64_t{in.read<std::uint32_t>("an expert")} - 1;
  entry.layer = in.read<std::int64_t>("a layer");
  entry.columns = size(in, "columns", kMostColumns);
  entry.rows = size(in, "rows", entry.expert < 0 ? kMostRows : 0);
  return entry;
}

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

constexpr std::int64_t kCounts = 16;  // an expert's rows and tokens

// Without the histogram.
std::int64_t data_bytes(const StatisticsEntry& entry, std::int64_t windows) {
  if (entry.expert >= 0) return kCounts + entry.floats() * kFloat;
  return (entry.floats() + 2 * entry.columns + 2 * windows) * kFloat;
}

std::int64_t windows_of(const StatisticsHead& head) {
  return head.context > 0 ? head.tokens / head.context : 0;
}

template <class T>
T at(Bytes bytes, std::int64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

std::string place(const StatisticsEntry& entry, const std::string& where) {
  return where + ": " + entry.role + " of layer " + std::to_string(entry.layer);
}

// Of column (or window) i: lowest[i * stride] and highest[i * stride].
void check_ranges(const StatisticsEntry& entry, Bytes lowest, Bytes highest, std::int64_t stride,
                  std::int64_t count, const std::string& where) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto lo = at<float>(lowest, i * stride);
    const auto hi = at<float>(highest, i * stride);
    if (!std::isfinite(lo) || !std::isfinite(hi) || lo > hi)
      throw Error(place(entry, where), "a range that is none", "two finite numbers in order");
  }
}

void check_bins(const StatisticsEntry& entry, std::int64_t count, const std::string& where) {
  constexpr int kInfinity = 0x7f80;  // finite bins are fewer than this from the middle
  std::int64_t before = -1;
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto [bin, values] = StatisticsBin::from(at<std::uint64_t>(entry.bins, i));
    if (bin <= before || values == 0 || bin < 0x8000 - kInfinity || bin >= 0x8000 + kInfinity)
      throw Error(place(entry, where), "a histogram that is none", "finite bins, ascending");
    before = bin;
    sum += values;  // at most 2^16 of less than 2^48
  }
  const auto all = static_cast<std::uint64_t>(checked_mul(entry.rows, entry.columns, where));
  if (sum != all) {
    throw Error(place(entry, where), "a histogram of other values", std::to_string(all),
                std::to_string(sum));
  }
}

void read_data(Cursor& in, StatisticsEntry& entry, std::int64_t tokens, std::int64_t windows,
               const std::string& where, Hash64& found) {
  const auto part = [&](std::int64_t bytes) {
    const Bytes taken = in.take(static_cast<std::uint64_t>(bytes), "an entry's data");
    found.add(taken);
    return taken;
  };
  if (entry.expert >= 0) {
    Cursor counts(part(kCounts), where);
    entry.rows = size(counts, "an expert's rows", tokens);
    entry.tokens = size(counts, "an expert's tokens", tokens);
    entry.triangle = part(entry.floats() * kFloat);
    return;
  }
  entry.triangle = part(entry.floats() * kFloat);
  entry.lowest = part(entry.columns * kFloat);
  entry.highest = part(entry.columns * kFloat);
  entry.windows = part(checked_mul(windows, 2 * kFloat, where));
  Cursor peek = in;
  const std::int64_t count = size(peek, "bins", 1 << 16);
  constexpr auto kBin = static_cast<std::int64_t>(sizeof(std::uint64_t));
  entry.bins = part((count + 1) * kBin).subspan(kBin);
}

void check_data(const StatisticsEntry& entry, std::int64_t windows, const std::string& where) {
  if (entry.expert >= 0) return;
  check_ranges(entry, entry.lowest, entry.highest, 1, entry.columns, where);
  if (windows > 0)
    check_ranges(entry, entry.windows, entry.windows.subspan(sizeof(float)), 2, windows, where);
  check_bins(entry, std::ssize(entry.bins) / static_cast<std::int64_t>(sizeof(std::uint64_t)),
             where);
}

}  // namespace

bool is_statistics(Bytes file) { return as_text(file).starts_with(kMagic); }

StatisticsHead read_statistics(Bytes file, const std::string& where) {
  Cursor in(file, where);
  if (as_text(in.take(kMagic.size(), "the file's kind")) != kMagic)
    throw Error(where, "no statistics file");
  const auto version = in.read<std::uint32_t>("the version");
  if (version != kVersion) {
    throw Error(where, "statistics of another version", std::to_string(kVersion),
                std::to_string(version));
  }
  const auto count = in.read<std::uint32_t>("the number of entries");
  StatisticsHead head;
  head.model = in.read<std::uint64_t>("the model");
  head.tokens = size(in, "tokens", kMostRows);
  head.context = size(in, "context", kMostRows);
  const auto checksum = in.read<std::uint64_t>("the checksum");
  const Bytes heads = in.take(std::uint64_t{count} * kEntry, "the entries");
  Cursor of_heads(heads, where);
  for (std::uint32_t i = 0; i < count; ++i) head.entries.push_back(read_entry(of_heads));
  Hash64 found;
  found.add(file.first(kChecksumAt));
  found.add(heads);
  const std::int64_t windows = windows_of(head);
  for (StatisticsEntry& entry : head.entries)
    read_data(in, entry, head.tokens, windows, where, found);
  if (in.remaining() != 0)
    in.fail("something follows the statistics", {}, std::to_string(in.remaining()) + " bytes");
  if (found.value() != checksum)
    throw Error(where, "damaged: the checksum is not that of the bytes");
  for (const StatisticsEntry& entry : head.entries) check_data(entry, windows, where);
  return head;
}

StatisticsWriter::StatisticsWriter(const std::filesystem::path& path, const StatisticsHead& head,
                                   bool replace) {
  std::vector<std::byte> fixed;
  put_text(fixed, kMagic, kMagic.size());
  put(fixed, kVersion);
  put(fixed, static_cast<std::uint32_t>(head.entries.size()));
  put(fixed, head.model);
  put(fixed, static_cast<std::uint64_t>(head.tokens));
  put(fixed, static_cast<std::uint64_t>(head.context));
  checksum_.add(fixed);
  fixed.resize(kHead);
  at_ = kHead + kEntry * std::ssize(head.entries);
  std::int64_t known = at_;
  for (const StatisticsEntry& entry : head.entries) {
    put_text(fixed, entry.role, kRole);
    put(fixed, static_cast<std::uint32_t>(entry.expert + 1));
    put(fixed, entry.layer);
    put(fixed, static_cast<std::uint64_t>(entry.columns));
    put(fixed, static_cast<std::uint64_t>(entry.rows));
    known = checked_add(known, data_bytes(entry, windows_of(head)), path.string());
  }
  checksum_.add(Bytes(fixed).subspan(kHead));
  file_ = std::make_unique<AtomicFile>(path, known, replace);
  file_->write_at(0, fixed);
}

void StatisticsWriter::add(const StatisticsData& data) {
  for (const Floats part : {data.triangle, data.lowest, data.highest, data.windows})
    write(std::as_bytes(part));
  std::vector<std::uint64_t> bins = {data.bins.size()};
  bins.insert(bins.end(), data.bins.begin(), data.bins.end());
  write(std::as_bytes(std::span(bins)));
}

void StatisticsWriter::add_expert(std::int64_t rows, std::int64_t tokens, Floats triangle) {
  const std::array counts = {static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(tokens)};
  write(std::as_bytes(std::span(counts)));
  write(std::as_bytes(triangle));
}

void StatisticsWriter::write(Bytes part) {
  checksum_.add(part);
  file_->write_at(at_, part);
  at_ += std::ssize(part);
}

void StatisticsWriter::commit() {
  const std::uint64_t checksum = checksum_.value();
  file_->write_at(kChecksumAt, std::as_bytes(std::span(&checksum, 1)));
  file_->commit();
}

}  // namespace zp
