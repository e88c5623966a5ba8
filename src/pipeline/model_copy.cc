#include "pipeline/model_copy.h"

#include "base/error.h"
#include "grid/grid.h"

namespace zp {
namespace {

std::shared_ptr<const Grid> grid_of(const std::string& spec, const std::string& where) {
  try {
    return make_grid(spec);
  } catch (const Error& error) {
    throw UsageError(where, error.parts().what, error.parts().expected, error.parts().found);
  }
}

bool is_coded(const Weight& weight, const Grid& grid) {
  const TensorUse& use = weight.use;
  return use.is_matrix() && !grid.whole_tensor() && grid.why_not(use.cols).empty();
}

}  // namespace

ModelCopy::ModelCopy(const Model& model, const std::string& spec, const std::string& where,
                     const Team& team, Progress& progress) {
  const std::shared_ptr<const Grid> grid = grid_of(spec, where);
  std::int64_t weights = 0;
  for (const Weight& w : model.weights) weights += is_coded(w, *grid) ? w.use.rows * w.use.cols : 0;
  progress.stage("copy of the model", weights, "weights");
  for (const Weight& w : model.weights) {
    if (!is_coded(w, *grid)) continue;
    const TensorJob job{w.use.hf, &w, w.rows, grid, {}};
    coded_.push_back({w.use.place, std::make_unique<CodedRows>(job, model.decoder)});
    code_rows(w, grid, {}, {}, w.use.rows, team, coded_.back().rows.get());
    progress.advance(w.use.rows * w.use.cols);
  }
}

void ModelCopy::replace_in(Engine& engine) const {
  for (const Coded& c : coded_) engine.replace(c.place, *c.rows);
}

std::int64_t ModelCopy::bytes(const Model& model, const std::string& spec,
                              const std::string& where) {
  const std::shared_ptr<const Grid> grid = grid_of(spec, where);
  std::int64_t sum = 0;
  for (const Weight& w : model.weights)
    sum += is_coded(w, *grid) ? grid->bytes(w.use.rows, w.use.cols) : 0;
  return sum;
}

}  // namespace zp
