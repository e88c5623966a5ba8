#include "cli/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "pipeline/judge_outputs.h"
#include "pipeline/pattern.h"
#include "report/human.h"

namespace zp::cli {
namespace {

constexpr std::int64_t kTokens = 4096;  // at most: each tensor goes through half of the network

constexpr double kMostBits = 64;  // a weight can have

// Small numbers alone could be either.
void refuse_ambiguous(const std::string& budget) {
  double value = 0;
  const char* const end = budget.data() + budget.size();
  const auto [at, error] = std::from_chars(budget.data(), end, value);
  if (error != std::errc() || at != end || !(value > 0 && value <= kMostBits)) return;
  throw UsageError("--fit", "ambiguous budget",
                   fmt::format("{0}bpw (bits per weight) or {0}GB (bytes of the output)", budget),
                   budget);
}

Limits limits_of(const FitOptions& options) {
  Limits limits;
  constexpr std::string_view kBits = "bpw";
  const std::string& budget = options.budget;
  if (budget.ends_with(kBits)) {
    const char* const end = budget.data() + budget.size() - kBits.size();
    const auto [at, error] = std::from_chars(budget.data(), end, limits.bits_per_weight);
    if (error != std::errc() || at != end || !(limits.bits_per_weight > 0) ||
        !(limits.bits_per_weight <= kMostBits))
      throw UsageError("--fit", "no budget", "e.g. 4.5bpw or 3.2GB", budget);
  } else if (!budget.empty()) {
    refuse_ambiguous(budget);
    limits.bytes = parse_size(budget, "--fit");
    if (limits.bytes <= 0) throw UsageError("--fit", "no budget", "e.g. 4.5bpw or 3.2GB", budget);
  }
  limits.name = budget;
  if (options.max_kl) {
    const std::string asked = fmt::format("{}", *options.max_kl);
    if (!(*options.max_kl > 0 && *options.max_kl <= 1000))
      throw UsageError("--max-kld", "no divergence", "more than 0", asked);
    limits.kl = *options.max_kl;
    if (budget.empty()) limits.name = "kld" + asked;
  }
  return limits;
}

}  // namespace

void check_fit(const FitOptions& options, const FitText& text, const Recipe& recipe) {
  limits_of(options);
  const std::string where = options.budget.empty() ? "--max-kld" : "--fit";
  if (text.files.empty())
    throw UsageError(where, "needs a text to measure losses on",
                     "--calibrate FILE or --judge FILE");
  if (std::ranges::find(text.files, "-") != text.files.end())
    throw UsageError(where, "its text is read more than once", "a file", "standard input");
  for (const Target& target : recipe.targets) {
    if (!target.grid.empty())
      throw UsageError("--to", where + " chooses the grids", target.container + "[=PATH]",
                       target.container + ":" + target.grid);
  }
}

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
        lines, [&](const Line& l) { return l.role == use.role && l.grid == a.grid; });
    if (line == lines.end()) line = lines.insert(lines.end(), {use.role, a.grid, a.bits, {}, 0});
    line->layers.push_back(use.layer);
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

void add_fit_options(CLI::App& sub, FitOptions& options) {
  sub.add_option("--fit", options.budget,
                 "4.5bpw or SIZE: choose a grid for each tensor by the KL divergence it costs, "
                 "measured on the text of --calibrate (else --judge), within this budget");
  sub.add_option("--max-kld", options.max_kl,
                 "X: choose so, and the smallest whose mean KL divergence is at most X");
}

std::string asked_text(const FitOptions& options) {
  if (!options.max_kl) return options.budget;
  return fmt::format("{}KL divergence up to {}",
                     options.budget.empty() ? "" : options.budget + ", ", *options.max_kl);
}

std::int64_t fit_tokens(const FitText& text) { return std::min(text.tokens, kTokens); }

std::int64_t fit_choices(const FitOptions& options) {
  constexpr std::int64_t kSearched = 13;  // of a thousand, by smallest_that_keeps()
  return options.max_kl ? kSearched : 1;
}

Fitted allot_all(const FitOptions& options, std::vector<std::vector<std::int32_t>> windows,
                 const LoadedModel& loaded, Recipe& recipe, const Team& team, Progress& progress) {
  const Limits limits = limits_of(options);
  Fitted out;
  out.windows = std::move(windows);
  for (std::size_t i = 0; i < recipe.targets.size(); ++i)
    out.allotments.push_back(allot(loaded, recipe, i, out.windows, limits, team, progress));
  return out;
}

void measure_written(Fitted& fitted, const Plan& plan, const LoadedModel& loaded, const Team& team,
                     Progress& progress) {
  if (fitted.allotments.empty()) return;
  const auto found = divergences(plan, loaded, fitted.windows, team, progress);
  for (std::size_t i = 0; i < found.size(); ++i) fitted.allotments[i].written = found[i];
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
                            {"role", role_name(a.weight->use.role)},
                            {"grid", a.grid},
                            {"bits_per_weight", a.bits},
                            {"loss", a.loss}});
  }
  return j;
}

}  // namespace zp::cli
