#include "source/shard_name.h"

#include <fmt/core.h>

#include <charconv>

namespace zp {
namespace {

constexpr std::size_t kDigits = 5;
constexpr std::string_view kOf = "-of-";

std::optional<int> number_of(std::string_view digits) {
  int n = 0;
  const auto end = digits.data() + digits.size();
  const auto [stop, wrong] = std::from_chars(digits.data(), end, n);
  if (wrong != std::errc() || stop != end || n < 1) return std::nullopt;
  return n;
}

}  // namespace

std::string ShardName::other(int shard) const {
  return fmt::format("{}-{:05}-of-{:05}{}", stem, shard, count, ending);
}

std::optional<ShardName> parse_shard_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  constexpr std::size_t kTail = 1 + kDigits + kOf.size() + kDigits;
  if (dot == name.npos || dot <= kTail) return std::nullopt;
  const std::string_view tail = name.substr(dot - kTail, kTail);
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf) return std::nullopt;
  const std::optional<int> number = number_of(tail.substr(1, kDigits));
  const std::optional<int> count = number_of(tail.substr(kTail - kDigits));
  if (!number || !count || *number > *count) return std::nullopt;
  return ShardName{std::string(name.substr(0, dot - kTail)), *number, *count,
                   std::string(name.substr(dot))};
}

}  // namespace zp
