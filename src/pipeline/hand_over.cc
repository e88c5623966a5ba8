#include "pipeline/hand_over.h"

namespace zp {

void HandOver::expect(const Tile& tile) {
  const TensorJob& job = job_of(plan_, tile);
  if (job.weight == nullptr || job.grid->whole_tensor() || job.form == RowForm::stacked ||
      !plan_.statistics->wants(*job.weight))
    return;
  std::unique_ptr<CodedRows>& rows = rows_[{tile.output, tile.job}];
  if (!rows) rows = std::make_unique<CodedRows>(job, plan_.model->decoder);
}

void HandOver::set(const Tile& tile, const PlaneBuffers& planes) const {
  const auto rows = rows_.find({tile.output, tile.job});
  if (rows != rows_.end()) rows->second->set(tile.begin, tile.rows, planes);
}

void HandOver::hand_on() {
  for (auto& [key, rows] : rows_) {
    const TensorJob& job = plan_.outputs[key.first].layout.jobs[key.second];
    plan_.statistics->coded(*job.weight, key.first, std::move(rows));
  }
  rows_.clear();
}

}  // namespace zp
