#include "pipeline/tile_coder.h"

#include "model/gguf_rows.h"
#include "pipeline/check_weights.h"
#include "pipeline/same_grid.h"

namespace zp {
namespace {

// Whether columns are those of a weight; a grid that sees the tensor as one row has none.
bool has_columns(const TensorJob& job) {
  return job.weight != nullptr && !job.grid->whole_tensor() &&
         (job.has_own_rows() || job.form == RowForm::gguf_columns);
}

}  // namespace

void TileCoder::read(const Tile& tile, TileBuffers& buffers) const {
  const TensorJob& job = job_of(plan_, tile);
  buffers.weights.resize(static_cast<std::size_t>(tile.rows * job.rows->cols()));
  job.rows->read(tile.begin, tile.rows, buffers.weights.data());
  check_weights(job, tile.begin, buffers.weights);
}

Outcome TileCoder::code(const Tile& tile, TileBuffers& buffers) const {
  const TensorJob& job = job_of(plan_, tile);
  const Grid& grid = *job.grid;
  const Matrix w = as_matrix(tile, job, buffers.weights);
  const InputStatistics inputs = statistics(tile, buffers);
  buffers.decoded.resize(buffers.weights.size());
  std::optional<double> left;
  if (!keeps_values(tile, buffers)) {
    left = plan_.coder->code(grid, w, inputs, make_room(grid, w.rows, w.cols, buffers.planes));
    decode(grid, buffers.planes, {buffers.decoded.data(), w.rows, w.cols});
  }
  const Matrix decoded = as_matrix(tile, job, buffers.decoded);
  Outcome outcome = outcome_of(grid, w, decoded, inputs, left);
  const SampledInputs sampled = samples(tile);
  outcome.seen = sampled_energy(w, decoded, sampled.seen);
  outcome.held_out = sampled_energy(w, decoded, sampled.held_out);
  return outcome;
}

bool TileCoder::keeps_values(const Tile& tile, TileBuffers& buffers) const {
  const TensorJob& job = job_of(plan_, tile);
  if (job.weight == nullptr || !found_again(job.weight->stored_type, job.grid->spec()))
    return false;
  const Matrix w = as_matrix(tile, job, buffers.weights);
  job.grid->quantize(w, {}, Fit::range, make_room(*job.grid, w.rows, w.cols, buffers.planes));
  decode(*job.grid, buffers.planes, {buffers.decoded.data(), w.rows, w.cols});
  return buffers.decoded == buffers.weights;
}

// Columns in another order have their importance; how they go together isn't known of them.
InputStatistics TileCoder::statistics(const Tile& tile, TileBuffers& buffers) const {
  const TensorJob& job = job_of(plan_, tile);
  if (!has_columns(job)) return {};
  InputStatistics inputs;
  if (plan_.statistics != nullptr) {
    inputs = plan_.statistics->of(*job.weight, tile.output);
  } else if (plan_.importance != nullptr) {
    inputs.importance = plan_.importance->of(*job.weight);
  }
  if (job.form != RowForm::gguf_columns || inputs.importance.empty()) return inputs;
  buffers.importance.clear();
  for (const std::int64_t j : gguf_columns(job.weight->use, plan_.model->decoder))
    buffers.importance.push_back(inputs.importance[static_cast<std::size_t>(j)]);
  InputStatistics ordered;
  ordered.importance = buffers.importance;
  return ordered;
}

SampledInputs TileCoder::samples(const Tile& tile) const {
  const TensorJob& job = job_of(plan_, tile);
  if (plan_.statistics == nullptr || !has_columns(job) || !job.has_own_rows()) return {};
  return plan_.statistics->samples(*job.weight, tile.output);
}

}  // namespace zp
