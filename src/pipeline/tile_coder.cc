#include "pipeline/tile_coder.h"

#include <algorithm>

#include "model/gguf_rows.h"
#include "number/float_format.h"
#include "pipeline/check_weights.h"
#include "tensor/dtype_name.h"

namespace zp {
namespace {

// Whether columns are those of a weight; a grid that sees the tensor as one row has none.
bool has_columns(const TensorJob& job) {
  return job.weight != nullptr && !job.grid->whole_tensor() &&
         (job.has_own_rows() || job.form == RowForm::gguf_columns);
}

// Of the source, where it has the very grid.
bool copies_planes(const TensorJob& job, const Tile& tile, std::vector<std::byte*> planes) {
  for (std::int64_t r = tile.begin; r < tile.begin + tile.rows; ++r) {
    if (!job.rows->stored(job.grid->spec(), r, planes)) return false;
    for (std::size_t p = 0; p < planes.size(); ++p)
      planes[p] += job.grid->row_bytes(p, job.rows->cols());
  }
  return true;
}

// Of numbers as they are stored; what a grid decodes to is FP32's.
int significant_bits(std::string_view stored_type) {
  const DTypeInfo* dtype = dtype_of_name(stored_type);
  if (dtype == nullptr || !dtype->floating) return kExactBits;
  return std::min(find_float_format(dtype->name)->fraction_bits + 1, kExactBits);
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
  const bool kept = keeps_values(tile, buffers);
  if (!kept) {
    left = plan_.coder->code(grid, w, inputs, make_room(grid, w.rows, w.cols, buffers.planes));
    decode(grid, buffers.planes, {buffers.decoded.data(), w.rows, w.cols});
  }
  const Matrix decoded = as_matrix(tile, job, buffers.decoded);
  Outcome outcome = outcome_of(grid, w, decoded, inputs, left);
  if (kept) outcome.kept = w.rows * w.cols;
  const SampledInputs sampled = samples(tile);
  outcome.seen = sampled_energy(w, decoded, sampled.seen);
  outcome.held_out = sampled_energy(w, decoded, sampled.held_out);
  return outcome;
}

bool TileCoder::keeps_values(const Tile& tile, TileBuffers& buffers) const {
  const TensorJob& job = job_of(plan_, tile);
  const Grid& grid = *job.grid;
  if (job.weight == nullptr || grid.family() == Family::floating) return false;
  const Matrix w = as_matrix(tile, job, buffers.weights);
  const std::vector<std::byte*> planes = make_room(grid, w.rows, w.cols, buffers.planes);
  if (!copies_planes(job, tile, planes) &&
      !grid.hold(w, significant_bits(job.weight->stored_type), planes))
    return false;
  decode(grid, buffers.planes, {buffers.decoded.data(), w.rows, w.cols});
  return true;
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
