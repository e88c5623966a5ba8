#include "cli/fit.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/human.h"
#include "base/json.h"
#include "pipeline/pattern.h"

namespace zp::cli {
namespace {

// Layers that have this role and grid.
struct Line {
  Role role;
  std::string grid;
  double bits = 0;
  std::vector<std::int64_t> layers;
  double loss = 0;
};

std::vector<Line> lines_of(const Allotment& allotment) {
  std::vector<Line> lines;
  for (const Allotted& a : allotment.tensors) {
    const TensorUse& use = a.weight->use;
    auto line = std::ranges::find_if(
        lines, [&](const Line& l) { return l.role == use.place.role && l.grid == a.grid; });
    if (line == lines.end())
      line = lines.insert(lines.end(), {use.place.role, a.grid, a.bits, {}, 0});
    line->layers.push_back(use.place.layer);
    line->loss += a.loss;
  }
  std::ranges::stable_sort(lines, [](const Line& a, const Line& b) {
    return a.role != b.role ? a.role < b.role : a.bits < b.bits;
  });
  return lines;
}

// "0-3,5"; nothing for what stands outside the layers.
std::string ranges(const std::vector<std::int64_t>& layers) {
  std::string out;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] < 0) return "-";
    std::size_t end = i;
    while (end + 1 < layers.size() && layers[end + 1] == layers[end] + 1) ++end;
    out += (out.empty() ? "" : ",") + std::to_string(layers[i]);
    if (end > i) out += "-" + std::to_string(layers[end]);
    i = end;
  }
  return out;
}

}  // namespace

void add_budget_options(const Command& sub, Budget& budget) {
  sub.add_option("--fit", budget.size,
                 "4.5bpw or SIZE: choose a grid for each tensor by the KL divergence it costs, "
                 "measured on the text of --calibrate (else --judge), within this budget");
  sub.add_option("--max-kld", budget.max_kl,
                 "X: choose so, and the smallest whose mean KL divergence is at most X");
}

std::string to_text(const Allotment& allotment) {
  std::string out = fmt::format("  {:<18} {:<14} {:<18} {:>7} {:>11}\n", "tensors", "layers",
                                "grid", "bits", "loss");
  for (const Line& l : lines_of(allotment)) {
    out += fmt::format("  {:<18} {:<14} {:<18} {:>7.3f} {:>11.6f}\n", role_name(l.role),
                       ranges(l.layers), l.grid, l.bits, l.loss);
  }
  return out + fmt::format(
                   "mean KL divergence on {} of the text: {:.5f} +- {:.5f} with all of them "
                   "(mse), expected {:.5f}{}\n",
                   human_counted(allotment.tokens, "token"), allotment.measured.mean,
                   allotment.measured.se, allotment.predicted,
                   allotment.met() ? "" : "; the limit is not met");
}

std::string written_text(const Allotment& allotment) {
  if (!allotment.written) return {};
  return fmt::format("mean KL divergence on {} of the text it was chosen on: {:.5f} +- {:.5f}{}\n",
                     human_counted(allotment.tokens, "token"), allotment.written->mean,
                     allotment.written->se, allotment.met() ? "" : "; the limit is not met");
}

Json to_json(const Allotment& allotment) {
  Json j;
  j["met"] = allotment.met();
  j["tokens"] = allotment.tokens;
  j["predicted_kl"] = allotment.predicted;
  j["measured_kl"] = {{"mean", allotment.divergence().mean},
                      {"se", allotment.divergence().se},
                      {"of", allotment.written ? "the file" : "mse"}};
  j["tensors"] = Json::array();
  for (const Allotted& a : allotment.tensors) {
    j["tensors"].push_back({{"name", use_name(a.weight->use)},
                            {"role", role_name(a.weight->use.place.role)},
                            {"grid", a.grid},
                            {"bits_per_weight", a.bits},
                            {"loss", a.loss}});
  }
  return j;
}

}  // namespace zp::cli
