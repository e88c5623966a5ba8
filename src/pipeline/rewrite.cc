#include "pipeline/rewrite.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pipeline/linears.h"
#include "pipeline/rotate.h"
#include "pipeline/scale.h"

namespace zp {
namespace {

// "down of 6 layers"
std::string readers_text(const std::vector<Place>& readers, std::int64_t layers) {
  std::string names;
  for (const Place place : readers)
    names += (names.empty() ? "" : ", ") + std::string(role_name(place.role));
  return layers > 1 ? fmt::format("{} of {} layers", names, layers) : names;
}

// What can't be scaled: one line for all layers alike.
void note_unlinked(const Cancellations& found, RewriteResult& result) {
  std::vector<std::pair<const Unlinked*, std::int64_t>> kinds;
  for (const Unlinked& unlinked : found.unlinked) {
    const auto same = [&](const auto& kind) {
      return kind.first->why == unlinked.why &&
             kind.first->readers.front().role == unlinked.readers.front().role;
    };
    const auto kind = std::ranges::find_if(kinds, same);
    if (kind == kinds.end()) {
      kinds.emplace_back(&unlinked, 1);
    } else {
      ++kind->second;
    }
  }
  for (const auto& [unlinked, layers] : kinds)
    result.notes.push_back("inputs of " + readers_text(unlinked->readers, layers) +
                           " stay: " + unlinked->why);
}

RewriteResult planned(const Rewrite& rewrite, const Cancellations& found) {
  RewriteResult result;
  result.name = rewrite.name;
  if (rewrite.scale != nullptr) {
    result.possible = std::ssize(found.links);
    note_unlinked(found, result);
    return result;
  }
  result.possible =
      std::ranges::count_if(found.links, [](const ScaleLink& l) { return l.mixable > 1; });
  if (found.stream.why_not.empty()) {
    ++result.possible;
  } else {
    result.notes.push_back("residual stream: stays, " + found.stream.why_not);
  }
  return result;
}

// Beside the pass's own: moments as they are and as they become, and rows of linears that read one
// input, as they are and as they become.
void check_memory(const Model& model, const RewriteRequest& request, const Team& team) {
  const Decoder& d = model.decoder;
  const std::int64_t widest = std::max({d.hidden, d.heads * d.head_dim, d.ffn});
  const std::int64_t bytes = float_pass(model, request.windows, team)->bytes() +
                             2 * widest * widest * static_cast<std::int64_t>(sizeof(float)) +
                             5 * SampledRows::bytes(widest);
  if (request.memory_bytes == 0 || bytes <= request.memory_bytes) return;
  throw Error("`rewrite`", "statistics of one layer do not fit the memory budget",
              "`memory` of at least " + std::to_string(bytes) + " bytes, or fewer `tokens`",
              std::to_string(request.memory_bytes));
}

}  // namespace

std::vector<RewriteResult> plan_rewrites(const Model& model,
                                         const std::vector<ChosenRewrite>& rewrites) {
  std::vector<RewriteResult> all;
  if (rewrites.empty()) return all;
  const Cancellations found = find_cancellations(model);
  for (const ChosenRewrite& chosen : rewrites) all.push_back(planned(*chosen.rewrite, found));
  return all;
}

std::unique_ptr<RewrittenModel> rewrite(const Plan& plan, const RewriteRequest& request,
                                        const Team& team, Progress& progress) {
  check_memory(*plan.model, request, team);
  auto out = std::make_unique<RewrittenModel>();
  const std::vector<std::vector<const Grid*>> grids = grids_of(plan);
  const Cancellations found = find_cancellations(*plan.model);
  const Model* model = plan.model;
  for (const ChosenRewrite& chosen : request.rewrites) {
    const RewritePass pass{*model,       found, request.windows, grids, plan.coder.method->fit,
                           request.seed, team};
    RewriteResult& result = out->results_.emplace_back(planned(*chosen.rewrite, found));
    const Rewriting changes = chosen.rewrite->scale != nullptr
                                  ? scale_links(pass, chosen, progress, result)
                                  : rotate_spaces(pass, progress, result);
    out->models_.push_back(std::make_unique<Model>(rewritten(*model, changes)));
    model = out->models_.back().get();
  }
  return out;
}

}  // namespace zp
