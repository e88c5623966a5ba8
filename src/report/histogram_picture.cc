#include "report/histogram_picture.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/human.h"
#include "report/decimal.h"
#include "report/html.h"
#include "report/svg.h"

namespace zp {
namespace {

constexpr double kWidth = 360;
constexpr double kHeight = 150;
constexpr double kBase = 112;  // where the bars stand
constexpr double kTop = 6;
constexpr double kTickEnd = 130;

double x_of(const WeightHistogram& h, double value) {
  return kWidth * (value - h.lo) / (h.hi - h.lo);
}

std::string bars(const WeightHistogram& h) {
  const auto most = static_cast<double>(*std::ranges::max_element(h.bins));
  const double width = kWidth / static_cast<double>(h.bins.size());
  std::string out;
  for (std::size_t i = 0; i < h.bins.size(); ++i) {
    if (h.bins[i] == 0) continue;
    const double height = (kBase - kTop) * static_cast<double>(h.bins[i]) / most;
    out += svg_rect(static_cast<double>(i) * width, kBase - height, width - 0.6, height, "bar");
  }
  return out;
}

std::string ticks(const WeightHistogram& h) {
  std::string out;
  for (const float v : h.values) {
    const double x = x_of(h, static_cast<double>(v));
    out += svg_line(x, kBase + 3, x, kTickEnd, "tick");
  }
  return out;
}

std::string picture(const WeightHistogram& h) {
  std::string content = bars(h) + svg_line(0, kBase, kWidth, kBase, "axis") + ticks(h);
  content += svg_text(0, kHeight - 4, "start", significant(h.lo, 2));
  content += svg_text(kWidth / 2, kHeight - 4, "middle", "0");
  content += svg_text(kWidth, kHeight - 4, "end", significant(h.hi, 2));
  return svg(kWidth, kHeight, "histogram of " + h.tensor, content);
}

std::string remark(const WeightHistogram& h) {
  std::string text;
  if (h.values.empty()) {
    text = "Values too many to mark.";
  } else {
    text = fmt::format("{}, those of the group at row {}, column {}.",
                       human_counted(std::ssize(h.values), "value"), human_count(h.row),
                       human_count(h.column));
  }
  if (h.counted < h.weights) {
    text += fmt::format(" {} of {} weights read.", human_number(static_cast<double>(h.counted)),
                        human_number(static_cast<double>(h.weights)));
  }
  if (h.beyond > 0) {
    text += fmt::format(" {:.2g} % lie outside the plotted range.",
                        100 * static_cast<double>(h.beyond) / static_cast<double>(h.counted));
  }
  return text;
}

}  // namespace

std::string histogram_picture(const WeightHistogram& h) {
  std::string role = h.role;
  std::ranges::replace(role, '_', ' ');
  const std::string caption = element("b", "", escaped(role)) + " " +
                              element("code", "", escaped(h.grid)) + " " +
                              element("span", "remark", escaped(h.tensor));
  const std::string drawn = h.bins.empty() ? element("p", "remark", "All its weights are 0.")
                                           : picture(h) + element("p", "remark", remark(h));
  return "<figure>" + element("figcaption", "", caption) + drawn + "</figure>\n";
}

}  // namespace zp
