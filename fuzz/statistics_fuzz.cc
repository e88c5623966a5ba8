// Statistics files from bytes, with a checksum that fits: otherwise hardly any would get past it.
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "format/statistics.h"

namespace {

constexpr std::size_t kChecksumAt = 40;
constexpr std::size_t kHead = 48;

template <class T>
T at(zp::Bytes file, std::size_t place) {
  T value;
  std::memcpy(&value, file.data() + place, sizeof(value));
  return value;
}

// Of the bytes as they would be read; not of entries beyond the file.
std::uint64_t checksum(zp::Bytes file) {
  const auto count = at<std::uint32_t>(file, 12);
  const auto tokens = at<std::uint64_t>(file, 24);
  const auto context = at<std::uint64_t>(file, 32);
  const std::uint64_t windows = context > 0 ? tokens / context : 0;
  const std::size_t heads = std::size_t{count} * 48;
  zp::Hash64 hash;
  hash.add(file.first(kChecksumAt));
  if (heads > file.size() - kHead) return hash.value();
  hash.add(file.subspan(kHead, heads));
  std::size_t place = kHead + heads;
  for (std::size_t i = 0; i < count; ++i) {
    const auto columns = at<std::uint64_t>(file, kHead + i * 48 + 32);
    if (columns > 1 << 20 || windows > file.size()) break;
    for (const std::size_t floats :
         {columns * (columns + 1) / 2, columns, columns, std::uint64_t{2} * windows}) {
      if (floats * sizeof(float) > file.size() - place) return hash.value();
      hash.add(file.subspan(place, floats * sizeof(float)));
      place += floats * sizeof(float);
    }
    if (file.size() - place < sizeof(std::uint64_t)) break;
    const auto bins = at<std::uint64_t>(file, place);
    if (bins > 1 << 16 || (bins + 1) * sizeof(bins) > file.size() - place) break;
    hash.add(file.subspan(place, (bins + 1) * sizeof(bins)));
    place += (bins + 1) * sizeof(bins);
  }
  return hash.value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  std::vector<std::byte> file(bytes);
  if (bytes > 0) std::memcpy(file.data(), data, bytes);
  if (bytes >= kHead) {
    const std::uint64_t sum = checksum(file);
    std::memcpy(file.data() + kChecksumAt, &sum, sizeof(sum));
  }
  try {
    for (const zp::StatisticsEntry& e : zp::read_statistics(file, "input").entries) {
      if (e.triangle.size() != static_cast<std::size_t>(e.floats()) * sizeof(float)) std::abort();
      if (e.lowest.size() != static_cast<std::size_t>(e.columns) * sizeof(float)) std::abort();
      if (e.highest.size() != e.lowest.size()) std::abort();
    }
  } catch (const zp::Error&) {
  }
  return 0;
}
