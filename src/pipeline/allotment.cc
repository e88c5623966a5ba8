#include "pipeline/allotment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "pipeline/pattern.h"
#include "pipeline/sensitivity.h"
#include "pipeline/spend.h"

namespace zp {
namespace {

constexpr int kLayouts = 8;
constexpr double kUsualBits = 4.5;

bool has_choice(const Network& network, const Recipe& recipe, const Asked& asked,
                const Weight& weight) {
  const TensorUse& use = weight.use;
  if (!input_of(network, use) && use.place.role != Role::embedding) return false;
  if (stays_float(use.place.role)) return false;
  return std::ranges::none_of(recipe.exceptions,
                              [&](const Exception& e) { return asked(e.pattern, use); });
}

std::vector<std::shared_ptr<const Grid>> grids_of(const Container& container,
                                                  const Weight& weight) {
  std::vector<std::shared_ptr<const Grid>> out;
  for (const std::string_view spec : container.budget_grids()) {
    std::shared_ptr<const Grid> grid =
        make_grid(spec, container.affine_defaults(weight.stored_type));
    if (grid->why_not(weight.use.cols).empty() && container.accepts(*grid, weight.use).possible)
      out.push_back(std::move(grid));
  }
  return out;
}

double bits_of(const Grid& grid, const Weight& weight) {
  return grid.bits_per_weight(weight.use.rows, weight.use.cols);
}

// Experts' weights come one behind the other.
bool joins(const Container& container, std::span<const Choosable> before, const Weight& weight) {
  if (before.empty()) return false;
  const Place place = before.back().use().place;
  return place.expert >= 0 && weight.use.place.expert >= 0 &&
         place.layer == weight.use.place.layer &&
         (place.role == weight.use.place.role || container.one_grid_for_experts());
}

// The probe has about as many bits as the answer.
std::vector<Choosable> choosable(const Container& container, const Model& model,
                                 const Recipe& recipe, double about_bits) {
  std::vector<Choosable> out;
  const Asked asked(model);
  const Network network = record(model);
  for (const Weight& weight : model.weights) {
    if (!has_choice(network, recipe, asked, weight)) continue;
    if (joins(container, out, weight)) {
      out.back().weights.push_back(&weight);
      continue;
    }
    Choosable c{{&weight}, grids_of(container, weight), 0};
    if (c.grids.empty()) continue;
    const auto nearest = std::ranges::min_element(c.grids, {}, [&](const auto& grid) {
      return std::fabs(bits_of(*grid, weight) - about_bits);
    });
    c.probe = static_cast<std::size_t>(nearest - c.grids.begin());
    out.push_back(std::move(c));
  }
  return out;
}

std::string with_budgets() {
  std::string names;
  for (const Container* c : containers()) {
    if (!c->budget_grids().empty()) names += (names.empty() ? "" : ", ") + std::string(c->name());
  }
  return names;
}

class Allotting {
 public:
  Allotting(const LoadedModel& loaded, Recipe& recipe, std::size_t target, const Limits& limits)
      : loaded_(loaded),
        recipe_(recipe),
        target_(recipe.targets[target]),
        limits_(limits),
        container_(find_container(target_.container)) {
    if (container_.budget_grids().empty()) {
      throw UsageError("`fit`", "no grids to choose from for " + std::string(container_.name()),
                       with_budgets());
    }
  }

  Allotment run(Windows windows, const Team& team, Progress& progress) {
    weights_ = choosable(container_, loaded_.model, recipe_, about_bits());
    if (weights_.empty()) throw Error("`fit`", "no tensor has a choice");
    choose(Purchase(weights_.size()));
    plan();  // what is refused is refused before anything is measured
    Sensitivity sensitivity(loaded_.model, std::move(windows),
                            recipe_.statistics != nullptr || recipe_.importance != nullptr, team);
    check_memory(sensitivity.bytes(weights_));
    offer(sensitivity.losses(weights_, progress));
    const auto verify = [&](const Purchase& p) {
      return sensitivity.divergence(weights_, p, progress);
    };
    Allotment out;
    out.tokens = sensitivity.tokens();
    out.kl = limits_.kl;
    const Purchase bought = limits_.kl ? smallest(verify, out) : within_budget(out.within_budget);
    choose(bought);
    if (!limits_.kl) out.measured = verify(bought);
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const Grid& grid = *weights_[i].grids[bought[i]];
      const Weight* first = weights_[i].weights.front();
      out.tensors.push_back(
          {first, grid.spec(), bits_of(grid, *first), offers_[i][bought[i]].loss});
    }
    out.predicted = loss_of(offers_, bought);
    return out;
  }

 private:
  double about_bits() const {
    if (limits_.bits_per_weight > 0) return limits_.bits_per_weight;
    if (limits_.bytes <= 0) return kUsualBits;
    return 8.0 * static_cast<double>(limits_.bytes) /
           static_cast<double>(loaded_.model.parameters());
  }

  void check_memory(std::int64_t bytes) const {
    if (recipe_.memory_bytes <= 0 || bytes <= recipe_.memory_bytes) return;
    throw Error("`fit`", "measuring does not fit the memory budget",
                "`memory` of at least " + std::to_string(bytes) + " bytes, or fewer `tokens`",
                std::to_string(recipe_.memory_bytes));
  }

  void offer(const std::vector<std::vector<double>>& losses) {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      std::vector<Offer>& offers = offers_.emplace_back();
      for (std::size_t g = 0; g < losses[i].size(); ++g)
        offers.push_back({weights_[i].bytes(*weights_[i].grids[g]), losses[i][g]});
    }
  }

  // Into the target. Its grid is the one that most weights have.
  void choose(const Purchase& p) {
    target_.measured.clear();
    std::map<std::string, std::int64_t> count;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const std::string& spec = weights_[i].grids[p[i]]->spec();
      for (const Weight* weight : weights_[i].weights) {
        target_.measured.push_back({use_name(weight->use), spec});
        count[spec] += weight->use.rows * weight->use.cols;
      }
    }
    target_.grid =
        std::ranges::max_element(count, {}, [](const auto& c) { return c.second; })->first;
    target_.label = "fit-" + limits_.name;
  }

  PlannedOutput plan() const {
    Recipe alone = recipe_;
    alone.targets = {target_};
    return std::move(make_plan(loaded_, alone).outputs.front());
  }

  // By how many bytes the choice is beyond the budget; below 0: what is left. In bits per weight
  // the bytes of the weights count, else all of the output's.
  std::int64_t beyond(const Purchase& p) {
    choose(p);
    const PlannedOutput output = plan();
    if (limits_.bytes > 0) return output.layout.bytes() - limits_.bytes;
    const auto parameters = static_cast<double>(loaded_.model.parameters());
    return static_cast<std::int64_t>(std::ceil(
        (output.bits_per_weight(loaded_.model) - limits_.bits_per_weight) * parameters / 8));
  }

  // What stands around the tensors (names of grids, padding) depends a little on the choice.
  Purchase within_budget(bool& met) {
    Purchase least = cheapest(offers_);
    std::int64_t over = beyond(least);
    met = over <= 0;
    if (!met) return least;
    std::int64_t budget = bytes_of(offers_, least) - over;
    for (int i = 0; i < kLayouts; ++i) {
      Purchase p = spend(offers_, budget);
      over = beyond(p);
      if (over <= 0) return p;
      budget -= over;
    }
    return least;
  }

  // All choices on the way up, as far as the budget goes; at least one.
  std::vector<Purchase> path(bool& fits) {
    std::vector<Purchase> all = {cheapest(offers_)};
    for (const Upgrade& u : upgrades(offers_)) {
      all.push_back(all.back());
      all.back()[u.tensor] = u.offer;
    }
    if (limits_.bytes <= 0 && limits_.bits_per_weight <= 0) return all;
    const auto within = [&](const Purchase& p) { return beyond(p) <= 0; };
    fits = within(all.front());
    all.erase(std::ranges::partition_point(all, within), all.end());
    if (all.empty()) all.push_back(cheapest(offers_));
    return all;
  }

  // What is measured need not fall with every step of the path, see smallest_that_keeps().
  template <class Verify>
  Purchase smallest(const Verify& verify, Allotment& out) {
    const std::vector<Purchase> all = path(out.within_budget);
    std::map<std::size_t, DivergenceSummary> seen;
    const auto keeps = [&](std::size_t i) {
      seen[i] = verify(all[i]);
      return seen[i].mean <= *limits_.kl;
    };
    // Where none does, the largest comes nearest.
    const std::size_t found = std::min(smallest_that_keeps(all.size(), keeps), all.size() - 1);
    out.measured = seen.at(found);
    return all[found];
  }

  const LoadedModel& loaded_;
  Recipe& recipe_;
  Target& target_;
  const Limits& limits_;
  const Container& container_;
  std::vector<Choosable> weights_;
  Offers offers_;
};

}  // namespace

Allotment allot(const LoadedModel& loaded, Recipe& recipe, std::size_t target, Windows windows,
                const Limits& limits, const Team& team, Progress& progress) {
  return Allotting(loaded, recipe, target, limits).run(std::move(windows), team, progress);
}

}  // namespace zp
