// Amounts of memory as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace zp {

/// 2G or 2GiB, 500M or 500MiB, 64K, 4GB (10^9), plain bytes. Throws UsageError at `where`.
std::int64_t parse_size(const std::string& text, const std::string& where);

}  // namespace zp
