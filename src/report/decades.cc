#include "report/decades.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/svg.h"

namespace zp {

double Decades::y(double value) const {
  const double at = value > 0 ? std::max<double>(std::log10(value), low) : low;
  return bottom - (bottom - top) * (at - low) / (high - low);
}

std::string Decades::rules(double left, double right, int plain) const {
  std::string out;
  for (int power = low; power <= high; ++power) {
    const double value = std::pow(10.0, power);
    out += svg_line(left, y(value), right, y(value), "rule");
    out += svg_text(left - 8, y(value) + 4, "end",
                    power < plain ? fmt::format("1e{}", power)
                                  : fmt::format("{:.{}f}", value, std::max(0, -power)));
  }
  return out;
}

}  // namespace zp
