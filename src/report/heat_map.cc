#include "report/heat_map.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/human.h"
#include "report/html.h"

namespace zp {
namespace {

struct Place {
  Energy shown;   // of outputs where they are known
  Energy energy;  // of weights
  bool outputs = false;
  std::int64_t bytes = 0;
  std::string tensors;  // a line each
};

// Roles in the order of the file, and what they hold in each layer; layer -1 is outside of all.
struct Cells {
  std::vector<std::string> roles;  // inside the layers
  std::vector<std::string> outside_roles;
  std::map<std::int64_t, std::map<std::string, Place>> layers;
};

Cells cells_of(const std::vector<ReportedTensor>& tensors) {
  Cells cells;
  for (const ReportedTensor& t : tensors) {
    if (t.role.empty()) continue;
    std::vector<std::string>& roles = t.layer < 0 ? cells.outside_roles : cells.roles;
    if (std::ranges::find(roles, t.role) == roles.end()) roles.push_back(t.role);
    Place& cell = cells.layers[t.layer][t.role];
    // A bias has no outputs of its own.
    if (t.outputs && !cell.outputs) cell.shown = {};
    if (t.outputs || !cell.outputs) cell.shown += shown_error(t);
    cell.outputs = cell.outputs || t.outputs.has_value();
    cell.energy += t.energy;
    cell.bytes += t.bytes;
    cell.tensors += fmt::format("\n{}  {}  {} x {}", t.name, t.grid, t.rows, t.cols);
  }
  return cells;
}

std::string cell_html(std::int64_t layer, const std::string& role, const Place& cell,
                      const Shades& shades) {
  const double error = relative_error(cell.shown);
  const std::string place = layer < 0 ? role : fmt::format("layer {}, {}", layer, role);
  std::string amount = "exact";
  if (cell.energy.error != 0) {
    amount = fmt::format("RMS error {:.3g} % of the weights', SQNR {:.2f} dB",
                         100 * relative_error(cell.energy), cell.energy.sqnr_db());
  }
  if (cell.outputs && error != 0)
    amount = fmt::format("RMS error {:.3g} % of the outputs'\n", 100 * error) + amount;
  const std::string title =
      fmt::format("{}\n{}\n{}{}", place, amount, human_bytes(cell.bytes), cell.tensors);
  const std::string shade = error == 0 ? "exact" : fmt::format("s{}", shades.of(error));
  return fmt::format("<td class=\"cell {}\" title=\"{}\">{}</td>", shade, escaped(title),
                     error_text(error));
}

std::string row_html(std::int64_t layer, const std::vector<std::string>& roles,
                     const std::map<std::string, Place>& cells, const Shades& shades) {
  std::string row = layer < 0 ? "<tr>" : fmt::format("<tr><th scope=\"row\">{}</th>", layer);
  for (const std::string& role : roles) {
    const auto cell = cells.find(role);
    row += cell == cells.end() ? "<td></td>" : cell_html(layer, role, cell->second, shades);
  }
  return row + "</tr>\n";
}

std::string head_html(const std::vector<std::string>& roles) {
  std::string head;
  for (const std::string& role : roles) {
    std::string name = role;
    std::ranges::replace(name, '_', ' ');
    head += fmt::format("<th scope=\"col\"><span>{}</span></th>", escaped(name));
  }
  return head;
}

std::string layers_html(const Cells& cells, const Shades& shades) {
  if (cells.roles.empty()) return {};
  std::string body;
  for (const auto& [layer, roles] : cells.layers) {
    if (layer >= 0) body += row_html(layer, cells.roles, roles, shades);
  }
  return fmt::format(
      "<table class=\"heat\"><caption>Layers</caption><thead><tr><th></th>{}</tr></thead>\n"
      "<tbody>\n{}</tbody></table>\n",
      head_html(cells.roles), body);
}

std::string outside_html(const Cells& cells, const Shades& shades) {
  if (cells.outside_roles.empty()) return {};
  return fmt::format(
      "<table class=\"heat outside\"><caption>Outside the "
      "layers</caption><thead><tr>{}</tr></thead>\n"
      "<tbody>\n{}</tbody></table>\n",
      head_html(cells.outside_roles),
      row_html(-1, cells.outside_roles, cells.layers.at(-1), shades));
}

std::string legend_html(const Shades& shades) {
  std::string swatches = "<span class=\"swatch exact\">=</span><span>exact</span>";
  if (shades.hi() > 0) {
    swatches += fmt::format("<span class=\"from\">{} %</span>", error_text(shades.lo()));
    for (int i = 0; i < Shades::kCount; ++i)
      swatches += fmt::format("<span class=\"swatch s{}\"></span>", i);
    swatches += fmt::format("<span>{} %</span>", error_text(shades.hi()));
  }
  return element("div", "legend", swatches) + "\n";
}

}  // namespace

double relative_error(const Energy& energy) {
  if (energy.error == 0) return 0;
  return energy.signal == 0 ? 1 : std::sqrt(energy.error / energy.signal);
}

std::string error_text(double share) {
  const double percent = 100 * share;
  if (share == 0) return "=";
  if (percent >= 9.95) return fmt::format("{:.0f}", percent);
  return fmt::format("{:.{}f}", percent, percent >= 0.995 ? 1 : 2);
}

Shades::Shades(const std::vector<ReportedOutput>& outputs) {
  for (const ReportedOutput& output : outputs) {
    const Cells cells = cells_of(output.tensors);
    for (const auto& [layer, roles] : cells.layers) {
      if (layer < 0 && cells.layers.size() > 1) continue;
      for (const auto& [role, cell] : roles) {
        const double error = relative_error(cell.shown);
        if (error == 0) continue;
        lo_ = lo_ == 0 ? error : std::min(lo_, error);
        hi_ = std::max(hi_, error);
      }
    }
  }
  const double missing = 0.1 * hi_ - (hi_ - lo_);
  if (missing <= 0) return;
  lo_ -= missing / 2;
  hi_ += missing / 2;
}

int Shades::of(double error) const {
  if (hi_ <= lo_) return 0;
  return static_cast<int>(std::clamp((error - lo_) / (hi_ - lo_) * kCount, 0.0, kCount - 1.0));
}

std::string heat_map(const std::vector<ReportedTensor>& tensors, const Shades& shades) {
  const Cells cells = cells_of(tensors);
  return legend_html(shades) +
         element("div", "heats", layers_html(cells, shades) + outside_html(cells, shades));
}

}  // namespace zp
