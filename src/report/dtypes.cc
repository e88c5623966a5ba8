#include "report/dtypes.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/json.h"
#include "number/integer.h"
#include "report/decimal.h"
#include "report/explain_number.h"

namespace zp {
namespace {

// In the order of kFloatFormats.
constexpr std::array<std::pair<const FloatFormat*, std::string_view>, kFloatFormats.size()>
    kFloatUses = {{
        {&kFp64, "science, and checking the others"},
        {&kFp32, "training; what weights are measured against"},
        {&kFp16, "inference on GPUs and CPUs; scales of groups"},
        {&kBf16, "training and checkpoints: FP32's range in half the bytes"},
        {&kFp8E4m3, "weights and activations on recent GPUs"},
        {&kFp8E5m2, "gradients: range before precision"},
        {&kFp4E2m1, "elements of MXFP4 and NVFP4, under a shared scale"},
        {&kE8m0, "scales of microscaled groups: powers of two"},
    }};

struct IntUse {
  int bits;
  std::string_view signed_use;
  std::string_view unsigned_use;
};

constexpr std::array<IntUse, 8> kIntUses = {{
    {2, "the smallest weights, under careful scales", "the same with a zero-point or minimum"},
    {3, "weights where 4 bits don't fit", "the same with a zero-point or minimum"},
    {4, "weights of language models in groups", "the same with a zero-point or minimum"},
    {5, "weights, a little better than 4 bits", "the same with a zero-point or minimum"},
    {6, "weights close to lossless", "the same with a zero-point or minimum"},
    {7, "weights where sums of 8-bit products overflow", "the same with a zero-point or minimum"},
    {8, "weights and activations on every CPU", "activations with a zero-point; pixels"},
    {16, "activations and audio on signal processors", "activations on signal processors"},
}};

double smaller_than_fp32(int bits) { return 100.0 * (1.0 - bits / 32.0); }

DTypeRow float_row(const FloatFormat& f, std::string_view use) {
  const Spacing s = spacing(f);
  const double highest = decode(f, f.max_code());
  const double smallest = decode(f, f.has_zero ? 1 : 0);
  return {.name = std::string(f.name),
          .floating = true,
          .bits = f.bits,
          .lowest = f.is_signed ? -highest : smallest,
          .highest = highest,
          .step_near_zero = smallest,
          .step_near_one = s.near_one,
          .decimal_digits = (f.fraction_bits + 1) * std::numbers::ln2 / std::numbers::ln10,
          .smaller_than_fp32 = smaller_than_fp32(f.bits),
          .use = use};
}

DTypeRow int_row(const IntFormat& f, std::string_view use) {
  return {.name = f.name(),
          .floating = false,
          .bits = f.bits,
          .lowest = static_cast<double>(f.lowest()),
          .highest = static_cast<double>(f.highest()),
          .step_near_zero = 1,
          .step_near_one = 1,
          .decimal_digits = std::nullopt,
          .smaller_than_fp32 = smaller_than_fp32(f.bits),
          .use = use};
}

std::string range_text(const DTypeRow& row) {
  if (row.lowest == -row.highest) return "+-" + grouped(row.highest);
  return grouped(row.lowest) + "..." + grouped(row.highest);
}

std::string size_text(double smaller) {
  if (smaller == 0) return "the same";
  return significant(std::fabs(smaller), 6) + (smaller > 0 ? " % smaller" : " % larger");
}

}  // namespace

std::vector<DTypeRow> dtype_rows() {
  std::vector<DTypeRow> rows;
  for (const auto& [format, use] : kFloatUses) rows.push_back(float_row(*format, use));
  for (const IntUse& use : kIntUses) {
    rows.push_back(int_row({use.bits, true}, use.signed_use));
    rows.push_back(int_row({use.bits, false}, use.unsigned_use));
  }
  return rows;
}

Json to_json(const std::vector<DTypeRow>& rows) {
  Json list = Json::array();
  for (const DTypeRow& row : rows) {
    Json json = {{"name", row.name},
                 {"family", row.floating ? "float" : "integer"},
                 {"bits_per_weight", row.bits},
                 {"summary", row.use},
                 {"bits", row.bits},
                 {"lowest", row.lowest},
                 {"highest", row.highest},
                 {"step_near_zero", row.step_near_zero},
                 {"step_near_one", row.step_near_one}};
    if (row.decimal_digits) json["decimal_digits"] = *row.decimal_digits;
    json["smaller_than_fp32"] = row.smaller_than_fp32;
    list.push_back(std::move(json));
  }
  return list;
}

std::string to_text(const std::vector<DTypeRow>& rows) {
  constexpr std::string_view kLine = "{:<9} {:>4}  {:<24} {:>6}  {:<12} {:<12} {:<15} {}\n";
  std::string text = fmt::format(kLine, "name", "bits", "range", "digits", "step at 1", "step at 0",
                                 "against fp32", "used for");
  for (const DTypeRow& row : rows) {
    text += fmt::format(kLine, row.name, row.bits, range_text(row),
                        row.decimal_digits ? fmt::format("{:.1f}", *row.decimal_digits) : "",
                        significant(row.step_near_one, 6), significant(row.step_near_zero, 6),
                        size_text(row.smaller_than_fp32), row.use);
  }
  return text;
}

}  // namespace zp
