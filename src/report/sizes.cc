#include "report/sizes.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#include "grid/grid.h"

namespace zp {
namespace {

constexpr std::int64_t kColumns = 4096;

SizeRow row(std::string name, double bits, std::int64_t parameters) {
  return {std::move(name), bits,
          static_cast<std::int64_t>(std::ceil(static_cast<double>(parameters) * bits / 8))};
}

}  // namespace

std::vector<SizeRow> dtype_sizes(std::int64_t parameters) {
  std::vector<SizeRow> rows;
  for (const auto& [name, bits] :
       {std::pair{"fp64", 64}, {"fp32", 32}, {"fp16", 16}, {"int8", 8}, {"int4", 4}}) {
    rows.push_back(row(name, bits, parameters));
  }
  return rows;
}

std::vector<SizeRow> grid_sizes(std::int64_t parameters) {
  static constexpr std::array kGrids = {"q8_0",
                                        "int8:channel:sym:s16",
                                        "int8:g64:min:s16",
                                        "q5_1",
                                        "q5_0",
                                        "q4_1",
                                        "q4_0",
                                        "int4:g32:zero:s16",
                                        "int4:g64:min:s16",
                                        "int4:g128:sym:s16",
                                        "int3:g64:min:s16",
                                        "int2:g64:min:s16"};
  std::vector<SizeRow> rows;
  for (const char* spec : kGrids) {
    rows.push_back(row(spec, make_grid(spec)->bits_per_weight(kColumns, kColumns), parameters));
  }
  return rows;
}

std::int64_t kv_cache_bytes(const Decoder& d, std::int64_t context) {
  const std::int64_t per_token =
      checked_mul(checked_mul(4 * d.layers, d.kv_heads, "KV cache"), d.head_dim, "KV cache");
  return checked_mul(per_token, context, "KV cache");
}

std::int64_t parse_parameters(const std::string& text) {
  struct Unit {
    std::string_view word;
    double factor;
  };
  static constexpr std::array kUnits = {Unit{"", 1}, Unit{"K", 1e3}, Unit{"M", 1e6}, Unit{"B", 1e9},
                                        Unit{"T", 1e12}};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& u : kUnits) {
    const double count = value * u.factor;
    if (error == std::errc() && unit == u.word && count >= 1 && count < 1e17)
      return std::llround(count);
  }
  throw UsageError("`parameters`", "wrong count", "a number with K, M, B or T, such as 70B", text);
}

}  // namespace zp
