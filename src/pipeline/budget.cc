#include "pipeline/budget.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/size.h"
#include "pipeline/judge_outputs.h"

namespace zp {
namespace {

constexpr std::int64_t kTokens = 4096;  // at most: each tensor goes through half of the network

constexpr double kMostBits = 64;  // a weight can have

// Small numbers alone could be either.
void refuse_ambiguous(const std::string& size) {
  double value = 0;
  const char* const end = size.data() + size.size();
  const auto [at, error] = std::from_chars(size.data(), end, value);
  if (error != std::errc() || at != end || !(value > 0 && value <= kMostBits)) return;
  throw UsageError("`fit`", "ambiguous budget",
                   fmt::format("{0}bpw (bits per weight) or {0}GB (bytes of the output)", size),
                   size);
}

Limits limits_of(const Budget& budget) {
  Limits limits;
  constexpr std::string_view kBits = "bpw";
  const std::string& size = budget.size;
  if (size.ends_with(kBits)) {
    const char* const end = size.data() + size.size() - kBits.size();
    const auto [at, error] = std::from_chars(size.data(), end, limits.bits_per_weight);
    if (error != std::errc() || at != end || !(limits.bits_per_weight > 0) ||
        !(limits.bits_per_weight <= kMostBits))
      throw UsageError("`fit`", "no budget", "e.g. 4.5bpw or 3.2GB", size);
  } else if (!size.empty()) {
    refuse_ambiguous(size);
    limits.bytes = parse_size(size, "`fit`");
    if (limits.bytes <= 0) throw UsageError("`fit`", "no budget", "e.g. 4.5bpw or 3.2GB", size);
  }
  limits.name = size;
  if (budget.max_kl) {
    const std::string asked = fmt::format("{}", *budget.max_kl);
    if (!(*budget.max_kl > 0 && *budget.max_kl <= 1000))
      throw UsageError("`max-kld`", "no divergence", "more than 0", asked);
    limits.kl = *budget.max_kl;
    if (size.empty()) limits.name = "kld" + asked;
  }
  return limits;
}

}  // namespace

std::string asked_text(const Budget& budget) {
  if (!budget.max_kl) return budget.size;
  return fmt::format("{}KL divergence up to {}", budget.size.empty() ? "" : budget.size + ", ",
                     *budget.max_kl);
}

void check_budget(const Budget& budget, const std::vector<std::string>& texts,
                  const Recipe& recipe) {
  limits_of(budget);
  const std::string where = budget.size.empty() ? "`max-kld`" : "`fit`";
  if (texts.empty())
    throw UsageError(where, "needs a text to measure losses on",
                     "`calibrate` FILE or `judge` FILE");
  if (std::ranges::find(texts, "-") != texts.end())
    throw UsageError(where, "its text is read more than once", "a file", "standard input");
  for (const Target& target : recipe.targets) {
    if (!target.grid.empty())
      throw UsageError("`to`", where + " chooses the grids", target.container + "[=PATH]",
                       target.container + ":" + target.grid);
  }
}

std::int64_t measured_tokens(std::int64_t tokens) { return std::min(tokens, kTokens); }

std::int64_t tried_choices(const Budget& budget) {
  constexpr std::int64_t kSearched = 13;  // of a thousand, by smallest_that_keeps()
  return budget.max_kl ? kSearched : 1;
}

bool Allotments::met() const { return std::ranges::all_of(targets, &Allotment::met); }

Allotments allot_all(const Budget& budget, Windows windows, const LoadedModel& loaded,
                     Recipe& recipe, const Team& team, Progress& progress) {
  const Limits limits = limits_of(budget);
  Allotments out;
  out.windows = std::move(windows);
  for (std::size_t i = 0; i < recipe.targets.size(); ++i)
    out.targets.push_back(allot(loaded, recipe, i, out.windows, limits, team, progress));
  return out;
}

void measure_written(Allotments& allotments, const Plan& plan, const LoadedModel& loaded,
                     const Team& team, Progress& progress) {
  if (allotments.targets.empty()) return;
  const auto found = divergences(plan, loaded, allotments.windows, team, progress);
  for (std::size_t i = 0; i < found.size(); ++i) allotments.targets[i].written = found[i];
}

}  // namespace zp
