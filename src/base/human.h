// Amounts for people: three digits and a unit that fits their size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zp {

/// "999 B", "1.23 GB"; thousands, not 1,024s.
std::string human_bytes(std::int64_t bytes);
/// "4,567"
std::string human_count(std::int64_t count);
/// "1 token", "4,567 tokens": `noun` is one of what is counted.
std::string human_counted(std::int64_t count, std::string_view noun);
/// "2.75 M", "124 k"; below a thousand the number itself.
std::string human_number(double value);
/// "812 tokens/s", "1.72 k tokens/s", "35.1 M weights/s".
std::string human_rate(double per_second, std::string_view unit);
/// "42 s", "3 min 07 s", "2 h 05 min".
std::string human_duration(double seconds);

}  // namespace zp
