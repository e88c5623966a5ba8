#include "pipeline/sizes.h"

#include <array>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#include "base/size.h"
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
  std::int64_t bytes = 0;
  for (std::int64_t layer = 0; layer < d.layers; ++layer) {
    bytes = checked_add(bytes, 4 * d.state_floats(layer), "KV cache");
    if (!d.layer(layer).attends() || d.layer(layer).keys_of) continue;
    const std::int64_t of_token = 2 * (d.key_columns(layer) + d.value_columns(layer));
    bytes = checked_add(bytes, checked_mul(of_token, context, "KV cache"), "KV cache");
  }
  return bytes;
}

std::int64_t parse_parameters(const std::string& text) {
  static constexpr std::array kUnits = {Unit{"", 1}, Unit{"K", 1e3}, Unit{"M", 1e6}, Unit{"B", 1e9},
                                        Unit{"T", 1e12}};
  const std::optional<double> count = in_units(text, kUnits);
  if (count && *count >= 1 && *count < 1e17) return std::llround(*count);
  throw UsageError("`parameters`", "wrong count", "a number with K, M, B or T, such as 70B", text);
}

}  // namespace zp
