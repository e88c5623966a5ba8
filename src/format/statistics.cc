#include "format/statistics.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/checked.h"
#include "format/cursor.h"

namespace zp {
namespace {

constexpr std::string_view kMagic = "zpstats\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::int64_t kChecksumAt = 40;
constexpr std::int64_t kHead = 48;
constexpr std::int64_t kEntry = 48;
constexpr std::size_t kRole = 24;
constexpr std::int64_t kMostColumns = 1 << 20;

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
  entry.layer = in.read<std::int64_t>("a layer");
  entry.columns = size(in, "columns", kMostColumns);
  entry.rows = size(in, "rows", std::int64_t{1} << 62);
  return entry;
}

std::int64_t data_bytes(const StatisticsEntry& entry) {
  return entry.floats() * static_cast<std::int64_t>(sizeof(float));
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
  head.tokens = size(in, "tokens", std::int64_t{1} << 62);
  head.context = size(in, "context", std::int64_t{1} << 62);
  const auto checksum = in.read<std::uint64_t>("the checksum");
  const Bytes heads = in.take(std::uint64_t{count} * kEntry, "the entries");
  Cursor of_heads(heads, where);
  for (std::uint32_t i = 0; i < count; ++i) head.entries.push_back(read_entry(of_heads));
  Hash64 found;
  found.add(file.first(kChecksumAt));
  found.add(heads);
  for (StatisticsEntry& entry : head.entries) {
    entry.triangle = in.take(static_cast<std::uint64_t>(data_bytes(entry)), "an entry's data");
    found.add(entry.triangle);
  }
  if (in.remaining() != 0)
    in.fail("something follows the statistics", {}, std::to_string(in.remaining()) + " bytes");
  if (found.value() != checksum)
    throw Error(where, "damaged: the checksum is not that of the bytes");
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
  bytes_ = kHead + kEntry * static_cast<std::int64_t>(head.entries.size());
  at_ = bytes_;
  for (const StatisticsEntry& entry : head.entries) {
    put_text(fixed, entry.role, kRole);
    put(fixed, entry.layer);
    put(fixed, static_cast<std::uint64_t>(entry.columns));
    put(fixed, static_cast<std::uint64_t>(entry.rows));
    bytes_ = checked_add(bytes_, data_bytes(entry), path.string());
  }
  checksum_.add(Bytes(fixed).subspan(kHead));
  file_ = std::make_unique<AtomicFile>(path, bytes_, replace);
  file_->write_at(0, fixed);
}

void StatisticsWriter::add(Floats triangle) {
  const Bytes bytes = std::as_bytes(triangle);
  checksum_.add(bytes);
  file_->write_at(at_, bytes);
  at_ += static_cast<std::int64_t>(bytes.size());
}

void StatisticsWriter::commit() {
  const std::uint64_t checksum = checksum_.value();
  file_->write_at(kChecksumAt, std::as_bytes(std::span(&checksum, 1)));
  file_->commit();
}

}  // namespace zp
