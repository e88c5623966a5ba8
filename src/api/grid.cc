#include "zeropoint/grid.h"

#include <algorithm>
#include <cmath>

#include "api/running.h"
#include "api/translated.h"
#include "grid/grid.h"
#include "kernel/range.h"
#include "method/method.h"

namespace zeropoint {
namespace {

constexpr std::int64_t kPartWeights = 1 << 16;  // that a thread takes at a time

std::string place(std::int64_t row, std::int64_t column) {
  return "row " + std::to_string(row) + ", column " + std::to_string(column);
}

// The number of weights.
std::int64_t count(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // sums of sizes stay in 64 bits
  if (rows < 1 || columns < 1 || rows > kMost / columns)
    throw zp::UsageError("weights", "no such matrix", "rows and columns",
                         std::to_string(rows) + " x " + std::to_string(columns));
  return rows * columns;
}

void check_holds(const zp::Grid& grid, std::int64_t columns) {
  const std::string why_not = grid.why_not(columns);
  if (!why_not.empty()) throw zp::Error("weights", grid.spec() + " can't hold them: " + why_not);
}

void check_importance(std::span<const float> importance, std::int64_t columns) {
  if (importance.empty()) return;
  if (std::ssize(importance) != columns)
    throw zp::UsageError("importance", "of another length", std::to_string(columns),
                         std::to_string(importance.size()));
  const auto wrong = [](float h) { return !(h >= 0) || std::isinf(h); };
  const auto found = std::find_if(importance.begin(), importance.end(), wrong);
  if (found != importance.end())
    throw zp::UsageError("importance", "no weight of an error", "finite numbers, none below 0",
                         std::to_string(*found));
}

// Rows as the grid wants them, and what of the planes is theirs.
class Rows {
 public:
  Rows(const zp::Grid& grid, std::int64_t rows, std::int64_t columns)
      : rows_(grid.whole_tensor() ? 1 : rows),
        columns_(grid.whole_tensor() ? count(rows, columns) : columns) {
    count(rows_, columns_);
    check_holds(grid, columns_);
    for (std::size_t p = 0; p < grid.planes().size(); ++p)
      bytes_.push_back(grid.row_bytes(p, columns_));
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::size_t plane_bytes(std::size_t plane) const {
    return static_cast<std::size_t>(rows_ * bytes_[plane]);
  }
  /// From `row` on.
  template <class Byte, class Planes>
  std::vector<Byte*> at(std::int64_t row, Planes& planes) const {
    std::vector<Byte*> begin;
    for (std::size_t p = 0; p < bytes_.size(); ++p)
      begin.push_back(planes[p].data() + row * bytes_[p]);
    return begin;
  }
  /// Calls part(row, rows) for all of them, in parts of at least so many.
  template <class Part>
  void each(const zp::Team& team, std::int64_t least, const Part& part) const {
    const std::int64_t together = std::max(least, kPartWeights / columns_ + 1);
    team.run((rows_ + together - 1) / together,
             [&](std::int64_t i) { part(i * together, std::min(together, rows_ - i * together)); });
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  std::vector<std::int64_t> bytes_;
};

void check_finite(const zp::Grid& grid, const Weights& weights, zp::Matrix w, std::int64_t begin) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int64_t bad = zp::first_beyond(w.row(r), static_cast<float>(grid.limit()));
    if (bad < 0) continue;
    const std::int64_t at = (begin + r) * w.cols + bad;
    throw zp::Error(place(at / weights.columns, at % weights.columns),
                    "weight can't be stored as " + grid.spec(),
                    "a finite number of magnitude at most " + std::to_string(grid.limit()),
                    std::to_string(w.row(r)[static_cast<std::size_t>(bad)]));
  }
}

}  // namespace

struct Grid::State {
  std::unique_ptr<zp::Grid> grid;
};

Grid::Grid(std::string_view spec)
    : state_(
          translated([&] { return std::make_shared<const State>(State{zp::make_grid(spec)}); })) {}
Grid::Grid(const Grid&) = default;
Grid::Grid(Grid&&) noexcept = default;
Grid& Grid::operator=(const Grid&) = default;
Grid& Grid::operator=(Grid&&) noexcept = default;
Grid::~Grid() = default;

const std::string& Grid::spec() const { return state_->grid->spec(); }
std::string Grid::family() const { return std::string(zp::family_name(state_->grid->family())); }
double Grid::limit() const { return state_->grid->limit(); }
std::string Grid::why_not(std::int64_t columns) const { return state_->grid->why_not(columns); }

std::vector<Plane> Grid::planes() const {
  std::vector<Plane> out;
  for (const zp::Plane& p : state_->grid->planes())
    out.push_back({p.name, p.type_name, p.bits, p.weights});
  return out;
}

std::int64_t Grid::row_bytes(std::size_t plane, std::int64_t columns) const {
  return translated([&] {
    count(1, columns);
    check_holds(*state_->grid, columns);
    if (plane >= state_->grid->planes().size())
      throw zp::UsageError("plane", "no such plane", {}, std::to_string(plane));
    return state_->grid->row_bytes(plane, columns);
  });
}

double Grid::bits_per_weight(std::int64_t rows, std::int64_t columns) const {
  return translated([&] {
    count(rows, columns);
    check_holds(*state_->grid, columns);
    return state_->grid->bits_per_weight(rows, columns);
  });
}

Encoded Grid::encode(const Weights& weights, const EncodeOptions& options, const Work& work) const {
  return translated([&] {
    const zp::Grid& grid = *state_->grid;
    const std::unique_ptr<zp::Coder> coder = zp::make_coder(options.method);
    const Rows rows(grid, weights.rows, weights.columns);
    const std::int64_t stride = weights.stride == 0 ? weights.columns : weights.stride;
    check_importance(options.importance, rows.columns());
    if (stride < weights.columns || (grid.whole_tensor() && stride != weights.columns))
      throw zp::UsageError("weights", "rows that lie so", "rows without gaps",
                           std::to_string(stride));
    Encoded out{weights.rows, weights.columns, {}};
    for (std::size_t p = 0; p < grid.planes().size(); ++p)
      out.planes.emplace_back(rows.plane_bytes(p));
    const Running running(work);
    rows.each(running.team(), coder->tile().rows, [&](std::int64_t begin, std::int64_t count) {
      const zp::Matrix w(weights.data + begin * stride, count, rows.columns(),
                         std::max(stride, rows.columns()));
      check_finite(grid, weights, w, begin);
      zp::InputStatistics inputs;
      inputs.importance = options.importance;
      coder->code(grid, w, inputs, rows.at<std::byte>(begin, out.planes));
    });
    return out;
  });
}

void Grid::decode(std::span<const std::span<const std::byte>> planes, std::int64_t rows,
                  std::int64_t columns, std::span<float> out, const Work& work) const {
  return translated([&] {
    const zp::Grid& grid = *state_->grid;
    const Rows all(grid, rows, columns);
    const auto check_size = [](const std::string& where, std::size_t found, std::size_t expected) {
      if (found != expected)
        throw zp::Error(where, "of another size", std::to_string(expected), std::to_string(found));
    };
    check_size("planes", planes.size(), grid.planes().size());
    for (std::size_t p = 0; p < planes.size(); ++p)
      check_size("plane \"" + grid.planes()[p].name + "\", bytes", planes[p].size(),
                 all.plane_bytes(p));
    check_size("decoded weights", out.size(), static_cast<std::size_t>(rows * columns));
    const Running running(work);
    all.each(running.team(), 1, [&](std::int64_t begin, std::int64_t count) {
      grid.decode(all.at<const std::byte>(begin, planes),
                  {out.data() + begin * all.columns(), count, all.columns()});
    });
  });
}

void Grid::decode(const Encoded& encoded, std::span<float> out, const Work& work) const {
  const std::vector<std::span<const std::byte>> planes(encoded.planes.begin(),
                                                       encoded.planes.end());
  decode(planes, encoded.rows, encoded.columns, out, work);
}

std::vector<std::string> example_grids() {
  std::vector<std::string> specs;
  for (const zp::GridFamily* family : zp::grid_families()) {
    for (std::string& spec : family->examples()) specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace zeropoint
