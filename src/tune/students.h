// For tests: small quantized models, and windows of tokens for them.
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "grid/grid.h"
#include "model/architecture.h"
#include "tune/learner.h"

namespace zp {

constexpr std::int64_t kStudentLength = 24;

inline std::vector<std::vector<std::int32_t>> random_windows(std::int64_t count,
                                                             std::uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<std::int32_t>> out(static_cast<std::size_t>(count));
  for (auto& window : out) {
    for (std::int64_t i = 0; i < kStudentLength; ++i)
      window.push_back(static_cast<std::int32_t>(random.below(50)));
  }
  return out;
}

inline std::vector<float> all_rows(const RowReader& rows) {
  std::vector<float> out(static_cast<std::size_t>(rows.rows() * rows.cols()));
  rows.read(0, rows.rows(), out.data());
  return out;
}

/// Its matrices are on the grid, where it holds their rows.
struct Student {
  explicit Student(const Model& teacher, const char* spec) : grid(make_grid(spec)) {
    model.architecture = teacher.architecture;
    model.decoder = teacher.decoder;
    const Team team(1);
    for (const Weight& w : teacher.weights) {
      model.weights.push_back(w);
      if (w.use.part != Part::weight || !is_matrix(w.use.place.role)) continue;
      if (!grid->why_not(w.use.cols).empty()) continue;
      auto& coded =
          matrices.emplace_back(std::make_unique<LearnedMatrix>(grid, *w.rows, Learned::scales));
      coded->code(team);
      model.weights.back().rows = &coded->coded();
      weights.push_back({w.use.place, grid, &coded->coded()});
    }
  }
  std::shared_ptr<const Grid> grid;
  std::vector<std::unique_ptr<LearnedMatrix>> matrices;
  Model model;
  std::vector<TrainedWeight> weights;
};

}  // namespace zp
