#include "method/scaling.h"

#include <fmt/core.h>

#include <algorithm>

#include "method/sampled_rows.h"

namespace zp {
namespace {

// A link's readers, ready for scale().
class Readers {
 public:
  Readers(const RewritePass& pass, const ScaleLink& link, ReadColumns columns)
      : columns_(std::move(columns)) {
    for (const Place place : link.readers) {
      const Weight& weight = *pass.model.find(place);
      const auto at = static_cast<std::size_t>(&weight - pass.model.weights.data());
      rows_.emplace_back(*weight.rows);
      largest_of_weights_.push_back(largest_of_columns(*weight.rows));
      view_.readers.push_back({rows_.back().view(), largest_of_weights_.back(), pass.grids[at]});
    }
    const auto cols = std::ssize(link.source);
    view_.moments = Matrix(columns_.moments.data(), cols, cols);
    view_.largest = columns_.largest;
    view_.source = link.source;
    view_.sources = link.writer_width;
    view_.fit = pass.fit;
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  const LinkedReaders& view() const { return view_; }

 private:
  ReadColumns columns_;
  std::vector<SampledRows> rows_;
  std::vector<std::vector<float>> largest_of_weights_;
  LinkedReaders view_;
};

// Where a norm holds what it multiplies by less one, it must not shrink: near -1 it would lose
// bits.
void let_norms_grow(std::vector<float>& factors) {
  const float most = *std::ranges::max_element(factors);
  for (float& f : factors) f /= most;
}

bool changes(const Scaling& scaling) {
  return std::ranges::any_of(scaling.factors, [](float f) { return f != 1; });
}

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

}  // namespace

RewriteResult ScalingRewrite::plan(const Cancellations& found) const {
  RewriteResult result;
  result.name = name();
  result.possible = std::ssize(found.links);
  note_unlinked(found, result);
  return result;
}

Rewriting ScalingRewrite::run(RewritePass& pass, RewriteResult& result) const {
  Rewriting out;
  double losses = 0;
  while (pass.next()) {
    for (const ScaleLink& link : pass.cancellations.links) {
      const Place first = link.readers.front();
      std::optional<ReadColumns> columns = pass.columns(*pass.model.find(first));
      if (!columns) continue;
      const Readers readers(pass, link, std::move(*columns));
      Scaling found = scale(readers.view(), pass.team);
      losses += found.loss;
      if (!changes(found)) continue;
      ++result.changed;
      if (link.norm && pass.model.decoder.norm_plus_one) let_norms_grow(found.factors);
      add_factors(out, link, found.factors);
    }
  }
  if (result.possible > 0) result.loss = losses / static_cast<double>(result.possible);
  return out;
}

}  // namespace zp
