// bitsandbytes' layouts; of a module with `out` rows and `in` columns, whose weights run on in blocks
// of 64, row after row:
//
//   X.weight                                   u8 [out * in / 2, 1]  codes, the first of two in the high half
//   X.weight.quant_map                         f32 [16]              what each code stands for
//   X.weight.absmax                            f32 [blocks]          what a block is multiplied by
//   X.weight.quant_state.bitsandbytes__nf4     u8                    JSON: the shape, sizes of blocks (or __fp4)
//
// and where these are quantized again, in blocks of 256:
//
//   X.weight.absmax                            u8 [blocks]
//   X.weight.nested_quant_map                  f32 [256]
//   X.weight.nested_absmax                     f32 [blocks / 256]    nested_offset is added behind it
//
//   X.weight, X.SCB                            i8 [out, in], f32 [out]: LLM.int8(), w = q SCB / 127
//
// Source: bitsandbytes/functional.py, QuantState.
#include <array>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "source/linear_module.h"
#include "source/scaled_rows.h"

namespace zp {
namespace {

constexpr std::string_view kUint8 = "uint8";
constexpr std::string_view kFp32 = "fp32";
constexpr std::string_view kState = "weight.quant_state.bitsandbytes__";
constexpr std::array<std::string_view, 2> kKinds = {"nf4", "fp4"};
constexpr float kInt8Scale = 7.874015718698502e-3f;  // theirs of 1 / 127

bool recognizes(const Json& quantization) {
  const Json method = quantization.value("quant_method", Json());
  return method == Json("bitsandbytes") ||
         (method.is_null() && quantization.contains("load_in_4bit"));
}

/// table[code], a byte's first code in its high half or the byte one code.
class TableRows final : public RowReader {
 public:
  TableRows(Bytes codes, std::vector<float> table, std::int64_t rows, std::int64_t cols)
      : RowReader(rows, cols), codes_(codes), table_(std::move(table)) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    const bool halves = table_.size() == 16;
    for (std::int64_t i = begin * cols(); i < (begin + count) * cols(); ++i) {
      const auto byte =
          std::to_integer<unsigned>(codes_[static_cast<std::size_t>(halves ? i / 2 : i)]);
      *out++ = table_[!halves ? byte : i % 2 == 0 ? byte >> 4 : byte & 15];
    }
  }

 private:
  Bytes codes_;
  std::vector<float> table_;
};

/// Blocks' scales that were quantized again.
class NestedScales final : public RowReader {
 public:
  NestedScales(std::unique_ptr<RowReader> codes, std::vector<float> scales, std::int64_t block,
               float offset)
      : RowReader(codes->rows(), codes->cols()),
        codes_(std::move(codes)),
        scales_(std::move(scales)),
        block_(block),
        offset_(offset) {}

  void read(std::int64_t begin, std::int64_t count, float* out) const override {
    codes_->read(begin, count, out);
    for (std::int64_t i = begin * cols(); i < (begin + count) * cols(); ++i, ++out)
      *out = *out * scales_[static_cast<std::size_t>(i / block_)] + offset_;
  }

 private:
  std::unique_ptr<RowReader> codes_;
  std::vector<float> scales_;
  std::int64_t block_;
  float offset_;
};

/// What X.weight.quant_state says.
struct State {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t block = 0;
  std::int64_t nested_block = 0;
  float nested_offset = 0;
};

State read_state(const Tensor& tensor, const std::string& place) {
  const std::string where = place + ": \"" + tensor.name + "\"";
  const Json json = parse_json(
      {reinterpret_cast<const char*>(tensor.stored.data()), tensor.stored.size()}, where);
  const JsonFields fields(json, where);
  State state;
  const Json& shape = fields.at("shape");
  if (!shape.is_array() || shape.size() != 2 || !shape[0].is_number_integer() ||
      !shape[1].is_number_integer())
    throw Error(where + ": \"shape\"", "no matrix", "two sizes");
  state.rows = shape[0].get<std::int64_t>();
  state.cols = shape[1].get<std::int64_t>();
  state.block = fields.integer("blocksize");
  state.nested_block = fields.integer("nested_blocksize", 1);
  state.nested_offset = static_cast<float>(fields.real("nested_offset", 0));
  if (state.rows < 1 || state.cols < 1 || state.block < 1 || state.nested_block < 1 ||
      state.cols % state.block != 0) {
    throw Error(where, "not supported", "rows of whole blocks",
                std::to_string(state.rows) + " x " + std::to_string(state.cols) + " in blocks of " +
                    std::to_string(state.block));
  }
  return state;
}

std::vector<float> table_of(const Tensor& tensor, std::int64_t size, const std::string& place) {
  check_part(tensor, kFp32, std::array{size}, place);
  return values_of<float>(tensor);
}

// [rows, blocks of a row]
std::unique_ptr<RowReader> scales_of(Module& module, const State& state) {
  const std::string place = module.place();
  const Tensor& scales = module.need("weight.absmax");
  const std::int64_t of_row = state.cols / state.block;
  const std::int64_t blocks = checked_mul(state.rows, of_row, place);
  const Tensor* nested = module.take("weight.nested_absmax");
  check_part(scales, nested != nullptr ? kUint8 : kFp32, std::array{blocks}, place);
  if (nested == nullptr) return stored_rows(scales.stored, DType::f32, state.rows, of_row);
  auto codes = std::make_unique<TableRows>(
      scales.stored, table_of(module.need("weight.nested_quant_map"), 256, place), state.rows,
      of_row);
  return std::make_unique<NestedScales>(
      std::move(codes), table_of(*nested, ceil_div(blocks, state.nested_block), place),
      state.nested_block, state.nested_offset);
}

Tensor four_bits(Module& module, std::string_view kind) {
  const std::string place = module.place();
  const State state = read_state(module.need(std::string(kState) + std::string(kind)), place);
  const Tensor& codes = module.need("weight");
  const std::int64_t bytes = ceil_div(checked_mul(state.rows, state.cols, place), 2);
  check_part(codes, kUint8, std::array<std::int64_t, 2>{bytes, 1}, place);
  std::vector<float> table = table_of(module.need("weight.quant_map"), 16, place);
  Tensor tensor =
      module.weight(std::string(kind) + ":g" + std::to_string(state.block), state.rows, state.cols);
  tensor.bytes = codes.bytes + module.need("weight.absmax").bytes;
  tensor.rows = scaled_rows(
      std::make_unique<TableRows>(codes.stored, std::move(table), state.rows, state.cols),
      scales_of(module, state), 1, state.block);
  return tensor;
}

Tensor eight_bits(Module& module) {
  const std::string place = module.place();
  const Tensor& codes = module.need("weight");
  const Tensor& scales = module.need("SCB");
  module.take("weight_format");
  if (codes.shape.size() != 2 || codes.shape[0] < 1 || codes.shape[1] < 1)
    throw Error(place, "no matrix of codes", "int8 of rows and columns", described(codes));
  const std::int64_t rows = codes.shape[0];
  const std::int64_t cols = codes.shape[1];
  check_part(codes, "int8", codes.shape, place);
  check_part(scales, kFp32, std::array{rows}, place);
  std::vector<float> table;
  for (int byte = 0; byte < 256; ++byte)
    table.push_back(static_cast<float>(static_cast<std::int8_t>(byte)));
  Tensor tensor = module.weight("llm_int8", rows, cols);
  tensor.bytes = codes.bytes + scales.bytes;
  tensor.rows = scaled_rows(std::make_unique<TableRows>(codes.stored, std::move(table), rows, cols),
                            stored_rows(scales.stored, DType::f32, rows, 1), 1, cols);
  tensor.rows = scaled_rows(std::move(tensor.rows), constant_rows({kInt8Scale}, 1, 1), rows, cols);
  return tensor;
}

void join(Checkpoint& checkpoint, const Json&, const std::string&) {
  for (const std::string_view kind : kKinds) {
    join_modules(checkpoint, std::string(kState) + std::string(kind),
                 [&](Module& module) { return four_bits(module, kind); });
  }
  join_modules(checkpoint, "SCB", eight_bits);
}

}  // namespace

extern const WeightLayout layout_bitsandbytes;
const WeightLayout layout_bitsandbytes = {recognizes, join};

}  // namespace zp
