#include "pipeline/tiles.h"

#include <algorithm>

namespace zp {

std::vector<Tile> make_tiles(const Plan& plan) {
  struct Keyed {
    double at;  // share of the output's weights before this tile
    Tile tile;
  };
  std::vector<Keyed> keyed;
  for (std::size_t o = 0; o < plan.outputs.size(); ++o) {
    const std::vector<TensorJob>& jobs = plan.outputs[o].layout.jobs;
    double total = 0;
    for (const TensorJob& job : jobs)
      total += static_cast<double>(job.rows->rows() * job.rows->cols());
    double before = 0;
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      const std::int64_t rows = jobs[j].rows->rows();
      const std::int64_t step = tile_rows(jobs[j], *plan.coder);
      for (std::int64_t r = 0; r < rows; r += step) {
        const std::int64_t count = std::min(step, rows - r);
        keyed.push_back({before / total, {o, j, r, count}});
        before += static_cast<double>(count * jobs[j].rows->cols());
      }
    }
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const Keyed& a, const Keyed& b) { return a.at < b.at; });
  std::vector<Tile> tiles;
  for (const Keyed& k : keyed) tiles.push_back(k.tile);
  return tiles;
}

Matrix as_matrix(const Tile& tile, const TensorJob& job, const std::vector<float>& values) {
  if (job.grid->whole_tensor()) return {values.data(), 1, tile.rows * job.rows->cols()};
  return {values.data(), tile.rows, job.rows->cols()};
}

}  // namespace zp
