#include "base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

namespace zp {

std::int64_t own_memory_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  std::int64_t shared = 0;
  if (!(statm >> size >> resident >> shared)) return 0;
  return (resident - shared) * ::sysconf(_SC_PAGESIZE);
}

std::int64_t own_memory_peak() {
  static std::atomic<std::int64_t> peak{0};
  const std::int64_t now = own_memory_bytes();
  std::int64_t most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
  return std::max(now, most);
}

std::int64_t machine_memory_bytes() {
  return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

}  // namespace zp
