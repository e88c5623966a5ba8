// This process's memory.
#pragma once

#include <cstdint>

namespace zp {

/// Resident bytes that are our own: not the mapped files (Linux: /proc/self/statm). 0 if unknown.
std::int64_t own_memory_bytes();

/// The most that own_memory_bytes() has been at any of these calls, this one among them. From many
/// threads.
std::int64_t own_memory_peak();

/// Bytes of memory the machine has.
std::int64_t machine_memory_bytes();

}  // namespace zp
