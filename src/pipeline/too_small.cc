#include "pipeline/too_small.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "grid/plane_buffers.h"
#include "kernel/energy.h"

namespace zp {
namespace {

constexpr std::int64_t kRows = 4;
constexpr double kLargeEnough = 16;        // all stored types have their full precision there
constexpr double kFp16Rounding = 0x1p-22;  // its squared error at most, as a share
constexpr std::size_t kNamed = 3;          // tensors in a line for people

double relative_error(const Grid& grid, Fit fit, Matrix w, float times) {
  const auto size = static_cast<std::size_t>(w.rows * w.cols);
  std::vector<float> at_scale(w.data, w.data + size), q(size);
  for (float& v : at_scale) v *= times;
  PlaneBuffers planes;
  grid.quantize({at_scale.data(), w.rows, w.cols}, {}, fit,
                make_room(grid, w.rows, w.cols, planes));
  decode(grid, planes, {q.data(), w.rows, w.cols});
  for (float& v : q) v /= times;
  const Energy e = energy({w.data, size}, q);
  return e.signal > 0 ? e.error / e.signal : 0;
}

std::string pattern_of(std::span<const TooSmall> tensors) {
  std::vector<std::string> roles;
  for (const TooSmall& t : tensors) {
    if (t.weight == nullptr) continue;
    const TensorUse& use = t.weight->use;
    std::string role(use.part == Part::bias
                         ? "*." + std::string(role_name(use.place.role)) + ".bias"
                         : std::string(role_name(use.place.role)));
    if (std::ranges::find(roles, role) == roles.end()) roles.push_back(std::move(role));
  }
  return fmt::format("{}", fmt::join(roles, ","));
}

// A type that loses none of them and that the container takes for all.
std::string remedy(std::span<const TooSmall> tensors, const Container& container) {
  for (const char* spec : {"bf16", "fp32"}) {
    const std::unique_ptr<Grid> grid = make_grid(spec);
    const auto takes = [&](const TooSmall& t) {
      return t.weight == nullptr ||
             (t.grid != spec && container.accepts(*grid, t.weight->use).possible);
    };
    if (!std::ranges::all_of(tensors, takes)) continue;
    const std::string pattern = pattern_of(tensors);
    return pattern.empty() ? "" : fmt::format("; `set` '{}={}' keeps them", pattern, spec);
  }
  return {};
}

std::string shown(const TooSmall& t) {
  if (t.blocks.zeroed == 0) return fmt::format("{} ({} loses most digits)", t.name, t.grid);
  const std::string share = t.blocks.zeroed == t.blocks.blocks
                                ? fmt::format("all {}", t.blocks.blocks)
                                : fmt::format("{} of {}", t.blocks.zeroed, t.blocks.blocks);
  return fmt::format("{} ({} of {} became zeros)", t.name, share + " blocks", t.grid);
}

}  // namespace

bool lose_digits(const Grid& grid, Fit fit, const RowReader& rows) {
  if (grid.whole_tensor()) return false;
  const std::int64_t count = std::min(kRows, rows.rows());
  const auto cols = static_cast<std::size_t>(rows.cols());
  std::vector<float> w(static_cast<std::size_t>(count) * cols);
  for (std::int64_t i = 0; i < count; ++i)
    rows.read(i * rows.rows() / count, 1, w.data() + i * rows.cols());
  float largest = 0;
  for (const float v : w) largest = std::max(largest, std::fabs(v));
  const double enough = std::min(kLargeEnough, grid.limit() / 4);
  if (!(largest > 0) || largest >= enough) return false;
  // Exact: a power of two. From here on the weights are those that are large enough.
  const int up = static_cast<int>(std::floor(std::log2(enough / static_cast<double>(largest))));
  for (float& v : w) v = std::ldexp(v, up);
  const Matrix large(w.data(), count, rows.cols());
  const double least = relative_error(grid, fit, large, 1);
  return relative_error(grid, fit, large, std::ldexp(1.0f, -up)) >
         2 * std::max(least, kFp16Rounding);
}

std::vector<TooSmall> too_small(const PlannedOutput& output, std::span<const Zeroed> counted,
                                Fit fit, const Team& team) {
  const std::vector<TensorJob>& jobs = output.layout.jobs;
  std::vector<char> loses(jobs.size());
  team.run(std::ssize(jobs), [&](std::int64_t i) {
    const TensorJob& job = jobs[static_cast<std::size_t>(i)];
    loses[static_cast<std::size_t>(i)] = lose_digits(*job.grid, fit, *job.rows) ? 1 : 0;
  });
  std::vector<TooSmall> out;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (loses[i] != 0 || counted[i].zeroed > 0)
      out.push_back({jobs[i].name, jobs[i].weight, jobs[i].grid->spec(), counted[i]});
  }
  return out;
}

std::string to_text(std::span<const TooSmall> tensors, const Container& container) {
  if (tensors.empty()) return {};
  std::string names;
  for (const TooSmall& t : tensors.first(std::min(kNamed, tensors.size())))
    names += (names.empty() ? "" : ", ") + shown(t);
  if (tensors.size() > kNamed) names += fmt::format(" and {} more", tensors.size() - kNamed);
  return fmt::format("{} tensor{} hold{} weights too small for {} type: {}{}", tensors.size(),
                     tensors.size() == 1 ? "" : "s", tensors.size() == 1 ? "s" : "",
                     tensors.size() == 1 ? "its" : "their", names, remedy(tensors, container));
}

}  // namespace zp
