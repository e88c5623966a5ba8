#include "report/report_cells.h"

#include <fmt/core.h>

#include "base/human.h"
#include "report/heat_map.h"

namespace zp {

std::string percent(double share) {
  const double value = 100 * share;
  return fmt::format("{:.{}f} %", value,
                     value < 0.9995  ? 3
                     : value < 9.995 ? 2
                     : value < 99.95 ? 1
                                     : 0);
}

std::string decibels(const Energy& energy) {
  return energy.error == 0 ? "exact" : fmt::format("{:.2f} dB", energy.sqnr_db());
}

std::string error_percent(const Energy& energy) {
  return energy.error == 0 ? "exact" : percent(relative_error(energy));
}

Cell error_cell(const Energy& energy) {
  return number_cell(error_percent(energy), 100 * relative_error(energy));
}

Cell bytes_cell(std::int64_t bytes) { return {human_bytes(bytes), std::to_string(bytes)}; }

Cell bits_cell(std::int64_t bytes, std::int64_t weights) {
  const double bits = 8 * static_cast<double>(bytes) / static_cast<double>(weights);
  return number_cell(fmt::format("{:.3f}", bits), bits);
}

std::string section(std::string_view id, std::string_view title, std::string_view intro,
                    std::string_view content) {
  return fmt::format("<h3 id=\"{}\">{}</h3>\n", escaped(id), escaped(title)) +
         element("p", "intro", escaped(intro)) + "\n" + std::string(content);
}

}  // namespace zp
