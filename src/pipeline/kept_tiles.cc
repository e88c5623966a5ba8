#include "pipeline/kept_tiles.h"

#include <fmt/core.h>

#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "calibrate/stored_statistics.h"

namespace zp {
namespace {

// Raised when what a stage leaves for the next one comes to mean something else.
constexpr int kStateForm = 5;

// All that the files' bytes depend on.
std::uint64_t identity(const Plan& plan) {
  Hash64 hash;
  const auto text = [&hash](const std::string& s) { hash.add(std::as_bytes(std::span(s))); };
  text(fmt::format("state {}", kStateForm));
  text(plan.coder->spec());
  const std::uint64_t model = hash_of(*plan.model);
  hash.add(std::as_bytes(std::span(&model, 1)));
  plan.statistics->describe(hash);
  for (const PlannedOutput& output : plan.outputs) {
    text(std::string(output.container->name()));
    for (const TensorJob& job : output.layout.jobs)
      text(fmt::format("{} {} {}", job.name, job.grid->spec(), job.planes.front().offset));
  }
  return hash.value();
}

}  // namespace

KeptTiles::KeptTiles(const Plan& plan, const std::vector<Tile>& tiles)
    : plan_(plan), tiles_(tiles), folder_(plan.resume, identity(plan)), planes_(tiles.size()) {}

KeptTiles::Reader::Reader(const Plan& plan, MappedFile file)
    : plan_(plan), file_(std::move(file)), left_(ResumeFolder::content(file_)) {}

Outcome KeptTiles::Reader::take(const Tile& tile, PlaneBuffers& planes) {
  const TensorJob& job = job_of(plan_, tile);
  const Matrix shape = as_matrix(tile, job, {});
  Outcome outcome;
  copy(&outcome, sizeof(Outcome));
  planes.resize(job.planes.size());
  for (std::size_t p = 0; p < planes.size(); ++p) {
    planes[p].resize(static_cast<std::size_t>(shape.rows * job.grid->row_bytes(p, shape.cols)));
    copy(planes[p].data(), planes[p].size());
  }
  return outcome;
}

void KeptTiles::Reader::copy(void* to, std::size_t size) {
  if (left_.size() < size) throw Error("`resume`", "coded tensors of another size");
  std::memcpy(to, left_.data(), size);
  left_ = left_.subspan(size);
}

void KeptTiles::resume_statistics(std::int64_t stages) const {
  plan_.statistics->resume(stages, ResumeFolder::content(folder_.state()));
}

void KeptTiles::keep(std::size_t tile, const PlaneBuffers& planes) {
  planes_[tile].assign(planes.begin(),
                       planes.begin() + std::ssize(job_of(plan_, tiles_[tile]).planes));
}

void KeptTiles::save(std::int64_t end, const std::vector<std::size_t>& tiles,
                     const std::vector<Outcome>& outcomes) {
  std::vector<Bytes> parts;
  for (const std::size_t i : tiles) {
    parts.push_back(std::as_bytes(std::span(&outcomes[i], 1)));
    for (const auto& plane : planes_[i]) parts.emplace_back(plane);
  }
  folder_.save(end, parts, plan_.statistics->state());
  for (const std::size_t i : tiles) planes_[i] = {};
}

}  // namespace zp
