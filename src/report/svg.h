// Building blocks of pictures: SVG inside of HTML. Colours come from the page's style by class.
#pragma once

#include <string>
#include <string_view>

namespace zp {

/// An <svg> that fills its box's width; `label` is read out instead of it.
std::string svg(double width, double height, std::string_view label, std::string_view content);
std::string svg_rect(double x, double y, double width, double height, std::string_view css);
std::string svg_line(double x1, double y1, double x2, double y2, std::string_view css);
/// anchor: start, middle or end.
std::string svg_text(double x, double y, std::string_view anchor, std::string_view text);
/// A coordinate: two decimals are a hundredth of a pixel.
std::string coordinate(double value);

}  // namespace zp
