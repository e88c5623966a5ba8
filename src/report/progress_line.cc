#include "report/progress_line.h"

#include <fmt/core.h>

#include <algorithm>

namespace zp {
namespace {

constexpr std::size_t kBar = 24;
constexpr std::size_t kShortestBar = 8;
constexpr std::size_t kAroundBar = 3;  // [] and a space

std::string with_bar(double share, std::size_t width, const std::string& text) {
  const auto filled = std::min(width, static_cast<std::size_t>(share * static_cast<double>(width)));
  return fmt::format("[{:#>{}}{:.>{}}] {}", "", filled, "", width - filled, text);
}

}  // namespace

std::string progress_line(const ProgressText& text, std::size_t columns, bool bar) {
  const std::string percent = fmt::format("  {:.0f} %", 100 * text.share);
  const std::string left = text.left.empty() ? "" : "  " + text.left;
  std::string whole = text.stage + percent + "  " + text.rate + left;
  if (bar && whole.size() + kAroundBar + kShortestBar <= columns) {
    return with_bar(text.share, std::min(kBar, columns - kAroundBar - whole.size()), whole);
  }
  if (whole.size() <= columns) return whole;
  const std::string rest = percent + left;
  if (text.stage.size() + rest.size() <= columns) return text.stage + rest;
  constexpr std::size_t kDots = 3;
  if (rest.size() + kDots >= columns) return (text.stage + rest).substr(0, columns);
  return text.stage.substr(0, columns - rest.size() - kDots) + "..." + rest;
}

}  // namespace zp
