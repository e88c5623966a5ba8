#include "zeropoint/explain.h"

#include "api/translated.h"
#include "grid/grid.h"
#include "method/method.h"
#include "pipeline/named_tensor.h"
#include "report/decimal.h"
#include "report/explain_grid.h"
#include "report/explain_number.h"
#include "report/explain_tensor.h"

namespace zeropoint {
namespace {

NumberExplanation number_of(const zp::NumberExplanation& found) {
  NumberExplanation out;
  out.value = found.asked;
  for (const zp::StoredNumber& n : found.stored) {
    const zp::FloatFormat& f = *n.format;
    out.formats.push_back({std::string(f.name), n.code, zp::binary(n.code, f.bits), n.value,
                           zp::stored_decimal(f, n.value), zp::shortest_decimal(f, n.code), n.below,
                           n.above});
  }
  out.text = zp::to_text(found);
  return out;
}

std::optional<zp::Interval> interval_of(const std::optional<Interval>& interval) {
  if (!interval) return std::nullopt;
  return zp::Interval{interval->lo, interval->hi};
}

QuantizedValue value_of(const zp::QuantizedValue& v) {
  return {v.value, v.code, v.decoded, v.error};
}

LinearGrid linear_of(const zp::LinearGrid& grid) {
  LinearGrid out{
      {grid.range.lo, grid.range.hi}, grid.widened, grid.scale, grid.zero_point, grid.minimum, {}};
  for (const zp::QuantizedValue& v : grid.values) out.values.push_back(value_of(v));
  return out;
}

void check(const std::optional<Interval>& interval, const char* field) {
  if (interval && !(interval->lo < interval->hi))
    throw zp::UsageError(field, "no range", "a lower and a higher end");
}

}  // namespace

NumberExplanation explain_number(double value, const std::string& format) {
  return translated([&] {
    if (format.empty()) return number_of(zp::explain_number(value, zp::explained_formats()));
    const zp::FloatFormat* one = &zp::explained_format(format);
    return number_of(zp::explain_number(value, {&one, 1}));
  });
}

NumberExplanation explain_bits(const std::string& bits, const std::string& format) {
  return translated([&] {
    const zp::FloatFormat& f = zp::explained_format(format);
    return number_of(zp::explain_code(zp::parse_code(bits, f), f));
  });
}

GridExplanation explain_grid(const GridQuestion& question) {
  return translated([&] {
    check(question.range, "`range`");
    check(question.clip, "`clip`");
    const zp::GridExplanation found =
        zp::explain_grid({zp::explained_form(question.grid), interval_of(question.range),
                          interval_of(question.clip), question.values, question.value});
    GridExplanation out;
    out.lowest_code = found.lowest;
    out.highest_code = found.highest;
    out.grid = linear_of(found.grid);
    if (found.clipped) out.clipped = linear_of(*found.clipped);
    if (found.value) out.value = value_of(*found.value);
    out.text = zp::to_text(found);
    return out;
  });
}

TensorExplanation explain_tensor(const std::string& model, const std::string& name,
                                 const std::string& grid, const std::string& method) {
  return translated([&] {
    const std::unique_ptr<zp::Coder> coder = zp::make_coder(method);
    const std::unique_ptr<zp::Grid> made = zp::make_grid(grid);
    const zp::NamedTensor tensor(model, name);
    const zp::TensorExplanation e = zp::explain_tensor(tensor.name(), tensor.rows(), *made, *coder);
    const zp::GroupReport& w = e.worst;
    TensorExplanation out;
    out.name = e.name;
    out.grid = e.grid;
    out.method = e.method;
    out.shape = {e.rows, e.cols};
    out.range = {e.lo, e.hi};
    out.mean = e.mean;
    out.deviation = e.deviation;
    out.bits_per_weight = e.bits_per_weight;
    out.sqnr_db = e.energy.sqnr_db();
    out.largest_error = e.largest_error;
    out.clipped = e.clipped;
    out.groups = e.groups;
    out.worst = {w.row, w.column, w.weights, {w.lo, w.hi}, {w.reach_lo, w.reach_hi}, w.error};
    out.weights_histogram = e.weights_histogram;
    out.decoded_histogram = e.decoded_histogram;
    out.text = zp::to_text(e);
    return out;
  });
}

}  // namespace zeropoint
