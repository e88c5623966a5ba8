// Statistics files from bytes, with a checksum that fits: otherwise hardly any would get past it.
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "format/statistics.h"

namespace {

constexpr std::size_t kChecksumAt = 40;
constexpr std::size_t kHead = 48;

// Of the bytes as they would be read; not of entries beyond the file.
std::uint64_t checksum(zp::Bytes file) {
  std::uint32_t count = 0;
  std::memcpy(&count, file.data() + 12, sizeof(count));
  const std::size_t heads = std::size_t{count} * 48;
  zp::Hash64 hash;
  hash.add(file.first(kChecksumAt));
  if (heads > file.size() - kHead) return hash.value();
  hash.add(file.subspan(kHead, heads));
  std::size_t at = kHead + heads;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t columns = 0;
    std::memcpy(&columns, file.data() + kHead + i * 48 + 32, sizeof(columns));
    if (columns > 1 << 20) break;
    const std::size_t bytes = columns * (columns + 1) / 2 * sizeof(float);
    if (bytes > file.size() - at) break;
    hash.add(file.subspan(at, bytes));
    at += bytes;
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
    }
  } catch (const zp::Error&) {
  }
  return 0;
}
