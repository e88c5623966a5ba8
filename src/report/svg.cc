#include "report/svg.h"

#include <fmt/core.h>

#include "report/html.h"

namespace zp {

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string svg(double width, double height, std::string_view label, std::string_view content) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                     coordinate(width), coordinate(height), escaped(label), content);
}

std::string svg_rect(double x, double y, double width, double height, std::string_view css) {
  return fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", css,
                     coordinate(x), coordinate(y), coordinate(width), coordinate(height));
}

std::string svg_line(double x1, double y1, double x2, double y2, std::string_view css) {
  return fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", css,
                     coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2));
}

std::string svg_text(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", coordinate(x),
                     coordinate(y), anchor, escaped(text));
}

}  // namespace zp
