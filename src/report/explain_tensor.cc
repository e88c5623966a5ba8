#include "report/explain_tensor.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/human.h"
#include "base/json.h"
#include "grid/plane_buffers.h"
#include "kernel/range.h"

namespace zp {
namespace {

constexpr std::size_t kBins = 40;
constexpr int kBarWidth = 30;

// Reads the whole tensor: one that is looked at closely fits memory.
std::vector<float> read_all(const std::string& name, const RowReader& rows, const Grid& grid) {
  std::vector<float> w(static_cast<std::size_t>(rows.rows() * rows.cols()));
  if (w.empty()) throw Error("tensor \"" + name + "\"", "holds no weights");
  rows.read(0, rows.rows(), w.data());
  const std::int64_t bad = first_beyond(w, static_cast<float>(grid.limit()));
  if (bad >= 0) {
    throw Error("tensor \"" + name + "\", row " + std::to_string(bad / rows.cols()) + ", column " +
                    std::to_string(bad % rows.cols()),
                "weight can't be stored as " + grid.spec(),
                fmt::format("magnitude at most {}", grid.limit()),
                fmt::format("{}", w[static_cast<std::size_t>(bad)]));
  }
  return w;
}

std::vector<float> decode_all(const Grid& grid, const Coder& coder, Matrix w) {
  PlaneBuffers planes;
  coder.code(grid, w, {}, make_room(grid, w.rows, w.cols, planes));
  std::vector<float> decoded(static_cast<std::size_t>(w.rows * w.cols));
  decode(grid, planes, {decoded.data(), w.rows, w.cols});
  return decoded;
}

std::vector<std::int64_t> histogram(Floats x, double lo, double hi) {
  std::vector<std::int64_t> bins(kBins);
  const double width = hi > lo ? (hi - lo) / kBins : 1;
  for (const float v : x) {
    const auto bin = static_cast<std::int64_t>(std::floor((v - lo) / width));
    ++bins[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, kBins - 1))];
  }
  return bins;
}

// Groups one by one through the grid's own verbs: what its parameters reach is what encode makes of
// the largest weights there can be.
void look_at_groups(const Grid& grid, Matrix w, const std::vector<float>& decoded, Fit fit,
                    TensorExplanation& e) {
  const GridShape shape = grid.shape(w.cols);
  std::vector<std::byte> params(static_cast<std::size_t>(grid.params_bytes(w.cols)));
  const auto limit = static_cast<float>(grid.limit());
  double worst = -1;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const Matrix row(w.row(r).data(), 1, w.cols);
    for (std::int64_t b = 0; b < w.cols; b += shape.block) {
      const std::int64_t in_block = std::min(shape.block, w.cols - b);
      grid.open_block(params.data(), row.columns(b, in_block), {}, fit);
      for (std::int64_t u = 0; u < in_block; u += shape.unit) {
        const std::int64_t n = std::min(shape.unit, in_block - u);
        const Matrix unit = row.columns(b + u, n);
        grid.open_unit(params.data(), u / shape.unit, unit, {}, fit);
        std::vector<float> extremes(static_cast<std::size_t>(std::min(shape.step, n)), -limit);
        std::vector<Code> codes(extremes.size());
        std::vector<float> reach_lo(extremes.size());
        std::vector<float> reach_hi(extremes.size());
        const auto steps = static_cast<std::int64_t>(extremes.size());
        grid.encode(params.data(), u, {extremes.data(), 1, steps}, {codes.data(), 1, steps},
                    {reach_lo.data(), 1, steps});
        std::fill(extremes.begin(), extremes.end(), limit);
        grid.encode(params.data(), u, {extremes.data(), 1, steps}, {codes.data(), 1, steps},
                    {reach_hi.data(), 1, steps});
        const Floats x = unit.row(0);
        const Floats y(decoded.data() + r * w.cols + b + u, static_cast<std::size_t>(n));
        for (const float v : x) e.clipped += v < reach_lo[0] || v > reach_hi[0] ? 1 : 0;
        ++e.groups;
        const double error = energy(x, y).error;
        if (error <= worst) continue;
        worst = error;
        const Range range = min_max(x);
        e.worst = {r,        b + u,       n,           range.lo,
                   range.hi, reach_lo[0], reach_hi[0], std::sqrt(error / static_cast<double>(n))};
      }
    }
  }
}

std::string bar(std::int64_t count, std::int64_t largest) {
  const double share = largest > 0 ? static_cast<double>(count) / static_cast<double>(largest) : 0;
  return std::string(static_cast<std::size_t>(std::ceil(share * kBarWidth)), '#');
}

}  // namespace

TensorExplanation explain_tensor(const std::string& name, const RowReader& rows, const Grid& grid,
                                 const Coder& coder) {
  const std::int64_t cols = grid.whole_tensor() ? rows.rows() * rows.cols() : rows.cols();
  const std::string why_not = grid.why_not(cols);
  if (!why_not.empty())
    throw Error("tensor \"" + name + "\"", grid.spec() + " can't hold it: " + why_not);
  const std::vector<float> weights = read_all(name, rows, grid);
  const Matrix w(weights.data(), static_cast<std::int64_t>(weights.size()) / cols, cols);
  const std::vector<float> decoded = decode_all(grid, coder, w);

  TensorExplanation e;
  e.name = name;
  e.grid = grid.spec();
  e.method = coder.name();
  e.rows = rows.rows();
  e.cols = rows.cols();
  const Range range = min_max(weights);
  e.lo = range.lo;
  e.hi = range.hi;
  for (const float v : weights) e.mean += v;
  e.mean /= static_cast<double>(weights.size());
  for (const float v : weights) e.deviation += (v - e.mean) * (v - e.mean);
  e.deviation = std::sqrt(e.deviation / static_cast<double>(weights.size()));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    e.largest_error =
        std::max(e.largest_error, std::fabs(static_cast<double>(weights[i]) - decoded[i]));
  }
  e.energy = energy(weights, decoded);
  e.bits_per_weight = grid.bits_per_weight(rows.rows(), rows.cols());
  e.weights_histogram = histogram(weights, e.lo, e.hi);
  e.decoded_histogram = histogram(decoded, e.lo, e.hi);
  look_at_groups(grid, w, decoded, coder.fit(), e);
  return e;
}

Json to_json(const TensorExplanation& e) {
  const GroupReport& g = e.worst;
  return {{"tensor", e.name},
          {"grid", e.grid},
          {"method", e.method},
          {"shape", {e.rows, e.cols}},
          {"min", e.lo},
          {"max", e.hi},
          {"mean", e.mean},
          {"deviation", e.deviation},
          {"bits", e.bits_per_weight},
          {"clipped", e.clipped},
          {"error",
           {{"rms", std::sqrt(e.energy.error / static_cast<double>(e.rows * e.cols))},
            {"max", e.largest_error},
            {"sqnr_db", e.energy.error > 0 ? Json(e.energy.sqnr_db()) : Json()}}},
          {"groups", e.groups},
          {"worst_group",
           {{"row", g.row},
            {"column", g.column},
            {"weights", g.weights},
            {"min", g.lo},
            {"max", g.hi},
            {"reach", {g.reach_lo, g.reach_hi}},
            {"rms_error", g.error}}},
          {"histogram",
           {{"from", e.lo},
            {"to", e.hi},
            {"weights", e.weights_histogram},
            {"decoded", e.decoded_histogram}}}};
}

std::string to_text(const TensorExplanation& e) {
  const auto count = static_cast<double>(e.rows * e.cols);
  std::string text = fmt::format("{}  {} x {}  as {} by {}: {:.4f} bits per weight\n\n", e.name,
                                 e.rows, e.cols, e.grid, e.method, e.bits_per_weight);
  text += fmt::format("weights    {:.6g} ... {:.6g}, mean {:.3g}, standard deviation {:.4g}\n",
                      e.lo, e.hi, e.mean, e.deviation);
  text += fmt::format("clipped    {} of {} lie beyond what their group can reach ({:.3g} %)\n",
                      e.clipped, human_counted(e.rows * e.cols, "weight"),
                      100 * static_cast<double>(e.clipped) / count);
  text += fmt::format("error      root mean square {:.4g}, largest {:.4g}",
                      std::sqrt(e.energy.error / count), e.largest_error);
  text += e.energy.error > 0 ? fmt::format(", SQNR {:.2f} dB\n", e.energy.sqnr_db())
                             : std::string("; exact\n");
  const GroupReport& g = e.worst;
  text += fmt::format(
      "worst of {}: row {}, columns {}...{}: weights {:.5g} ... {:.5g}, values it can give "
      "{:.5g} ... {:.5g}, "
      "root mean square error {:.4g}\n\n",
      human_counted(e.groups, "group"), g.row, g.column, g.column + g.weights - 1, g.lo, g.hi,
      g.reach_lo, g.reach_hi, g.error);
  text +=
      fmt::format("{:>12}  {:<{}}   {}\n", "from", "weights", kBarWidth + 10, "values of the grid");
  const std::int64_t most_w =
      *std::max_element(e.weights_histogram.begin(), e.weights_histogram.end());
  const std::int64_t most_d =
      *std::max_element(e.decoded_histogram.begin(), e.decoded_histogram.end());
  for (std::size_t i = 0; i < e.weights_histogram.size(); ++i) {
    const double from = e.lo + (e.hi - e.lo) * static_cast<double>(i) / static_cast<double>(kBins);
    text += fmt::format("{:>12.5f}  {:>9} {:<{}}   {:>9} {}\n", from, e.weights_histogram[i],
                        bar(e.weights_histogram[i], most_w), kBarWidth, e.decoded_histogram[i],
                        bar(e.decoded_histogram[i], most_d));
  }
  return text;
}

}  // namespace zp
