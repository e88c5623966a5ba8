#include "report/size_picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/human.h"
#include "report/decades.h"
#include "report/divergence_picture.h"
#include "report/html.h"
#include "report/report_cells.h"
#include "report/svg.h"

namespace zp {
namespace {

constexpr double kWidth = 480;
constexpr double kHeight = 270;
constexpr double kLeft = 74;
constexpr double kRight = 470;
constexpr double kTop = 16;
constexpr double kBottom = 228;
constexpr int kDecades = 8;    // drawn at most
constexpr double kLetter = 9;  // at most, of the letters of narrow screens
constexpr double kLine = 17;   // of the same

double kl_of(const ReportedOutput& o) { return o.judgement->scores.compared->kl.mean; }

// Bytes from 0 along, divergence up by decades; what doesn't diverge lies at the bottom.
class Picture {
 public:
  explicit Picture(const std::vector<ReportedOutput>& outputs) : outputs_(outputs) {
    double lo = 0;
    double hi = 0;
    for (const ReportedOutput& o : outputs) {
      most_ = std::max(most_, static_cast<double>(o.bytes));
      const double kl = kl_of(o);
      if (kl <= 0) continue;
      lo = lo == 0 ? kl : std::min(lo, kl);
      hi = std::max(hi, kl);
    }
    if (hi == 0) return;
    decades_.high = static_cast<int>(std::floor(std::log10(hi))) + 1;
    decades_.low = std::clamp(static_cast<int>(std::floor(std::log10(lo))),
                              decades_.high - kDecades, decades_.high - 1);
  }

  std::string html() const {
    return element("div", "chart",
                   svg(kWidth, kHeight, "size against KL divergence", grid() + points()));
  }

 private:
  double x(double bytes) const { return kLeft + (kRight - kLeft) * bytes / (1.1 * most_); }
  double y(double kl) const { return decades_.y(kl); }

  std::string grid() const {
    std::string out = decades_.rules(kLeft, kRight, -4);
    for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const double bytes = share * most_;
      out += svg_line(x(bytes), kTop, x(bytes), kBottom, "rule");
      out +=
          svg_text(x(bytes), kBottom + 18, "middle", human_bytes(static_cast<std::int64_t>(bytes)));
    }
    return out + svg_text((kLeft + kRight) / 2, kHeight - 6, "middle",
                          "size; upwards KL divergence, nats per token");
  }

  // Labels that would lie over each other move down.
  std::string points() const {
    std::string out;
    struct Label {
      double left, right, y;
    };
    std::vector<Label> placed;
    for (const ReportedOutput& o : outputs_) {
      const double at = x(static_cast<double>(o.bytes));
      const double height = y(kl_of(o));
      out += fmt::format("<circle class=\"point\" cx=\"{}\" cy=\"{}\" r=\"5\"/>\n", coordinate(at),
                         coordinate(height));
      std::string name = o.container + ":" + o.grid;
      constexpr std::size_t kLongest = 22;  // has room on either side of every point
      if (name.size() > kLongest) name = name.substr(0, kLongest) + "...";
      const double width = kLetter * static_cast<double>(name.size());
      const bool left = at + 10 + width > kRight;
      Label label{left ? at - 10 - width : at + 10, left ? at - 10 : at + 10 + width, height + 4};
      const auto covers = [&](const Label& l) {
        return std::fabs(l.y - label.y) < kLine && l.left < label.right && label.left < l.right;
      };
      while (std::ranges::any_of(placed, covers)) label.y += kLine;
      placed.push_back(label);
      out += svg_text(left ? label.right : label.left, label.y, left ? "end" : "start", name);
    }
    return out;
  }

  const std::vector<ReportedOutput>& outputs_;
  double most_ = 1;
  Decades decades_{.low = -1, .high = 0, .top = kTop, .bottom = kBottom};
};

}  // namespace

std::string comparison_html(const QuantizeReport& report) {
  if (report.outputs.size() < 2) return {};
  const bool judged = report.outputs.front().judgement.has_value();
  std::vector<Column> columns = {
      {"target", false}, {"bytes", true}, {"bits per weight", true}, {"RMS error", true}};
  if (judged)
    columns.insert(columns.end(),
                   {{"KL divergence", true}, {"same first choice", true}, {"perplexity", true}});
  std::vector<std::vector<Cell>> rows;
  for (const ReportedOutput& o : report.outputs) {
    Cell target = code_cell(o.container + ":" + o.grid);
    target.html = fmt::format("<a href=\"#output-{}\">{}</a>", rows.size() + 1, target.html);
    rows.push_back({target, bytes_cell(o.bytes),
                    number_cell(fmt::format("{:.3f}", o.bits_per_weight), o.bits_per_weight),
                    error_cell(shown_error(o))});
    if (!o.judgement) continue;
    const Scores& s = o.judgement->scores;
    const DivergenceSummary& kl = s.compared->kl;
    rows.back().push_back(number_cell(kl_text(kl, kl.mean), kl.mean));
    const double same = 100 * s.compared->top1_agreement;
    rows.back().push_back(number_cell(fmt::format("{:.2f} %", same), same));
    rows.back().push_back(
        number_cell(fmt::format("{:.4f}", s.perplexity.value), s.perplexity.value));
  }
  return table("outputs", columns, rows) + (judged ? Picture(report.outputs).html() : "");
}

}  // namespace zp
