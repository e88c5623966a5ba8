#include "report/divergence_picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/decades.h"
#include "report/html.h"
#include "report/svg.h"

namespace zp {
namespace {

constexpr double kWidth = 480;
constexpr double kHeight = 270;
constexpr double kLeft = 74;
constexpr int kDecades = 6;  // drawn at most; what is smaller lies at the bottom
constexpr double kRight = 470;
constexpr double kTop = 12;
constexpr double kBottom = 228;

// Both axes logarithmic: x by the share of tokens beyond, y by the divergence.
class Chart {
 public:
  explicit Chart(const Judgement& judgement)
      : judgement_(judgement), farthest_(std::log10(static_cast<double>(judgement.scores.tokens))) {
    double lo = judgement.scores.compared->kl.max;
    for (const KlQuantile& q : judgement.curve) {
      if (q.kl > 0) lo = std::min(lo, q.kl);
    }
    decades_.high = static_cast<int>(std::ceil(std::log10(judgement.scores.compared->kl.max)));
    decades_.low = std::clamp(static_cast<int>(std::floor(std::log10(lo))),
                              decades_.high - kDecades, decades_.high - 1);
  }

  std::string html() const {
    return svg(kWidth, kHeight, "Kullback-Leibler divergence by share of tokens",
               grid() + mean() + curve());
  }

 private:
  double x(double beyond) const {  // from a half to one token
    const double first = std::log10(2.0);
    const double at = beyond > 0 ? -std::log10(beyond) : farthest_;
    return kLeft + (kRight - kLeft) * (at - first) / std::max(farthest_ - first, 1e-9);
  }
  double y(double kl) const { return decades_.y(kl); }

  std::string grid() const {
    std::string out = decades_.rules(kLeft, kRight, -6);
    struct Mark {
      double beyond;
      const char* text;
    };
    for (const Mark m :
         {Mark{0.5, "50 %"}, Mark{0.1, "90 %"}, Mark{0.01, "99 %"}, Mark{0.001, "99.9 %"},
          Mark{0.0001, "99.99 %"}, Mark{0.00001, "99.999 %"}}) {
      const double at = x(m.beyond);
      if (at > kRight + 0.5) break;
      out += svg_line(at, kTop, at, kBottom, "rule");
      out += svg_text(std::min(at, kRight - 18), kBottom + 18, "middle", m.text);
    }
    return out + svg_text((kLeft + kRight) / 2, kHeight - 6, "middle",
                          "of the tokens diverge by at most");
  }

  std::string mean() const {
    const double at = y(judgement_.scores.compared->kl.mean);
    return svg_line(kLeft, at, kRight, at, "mean") + svg_text(kRight - 4, at - 5, "end", "mean");
  }

  std::string curve() const {
    std::string points;
    for (const KlQuantile& q : judgement_.curve)
      points += coordinate(x(1 - q.share)) + "," + coordinate(y(q.kl)) + " ";
    points.pop_back();
    return fmt::format("<polyline class=\"curve\" points=\"{}\"/>\n", points);
  }

  const Judgement& judgement_;
  double farthest_;
  Decades decades_{.low = -1, .high = 0, .top = kTop, .bottom = kBottom};
};

std::string percentiles(const DivergenceSummary& kl) {
  const auto row = [&](const char* name, double value) {
    return std::vector<Cell>{text_cell(name), number_cell(kl_text(kl, value), value)};
  };
  return table("kl-divergence", {{"share of tokens", false}, {"at most, nats", true}},
               {row("half (median)", kl.median), row("90 %", kl.p90), row("95 %", kl.p95),
                row("99 %", kl.p99), row("99.9 %", kl.p999), row("all (maximum)", kl.max),
                row("mean", kl.mean), row("standard error", kl.se)});
}

}  // namespace

std::string kl_text(const DivergenceSummary& kl, double value) {
  const double least = kl.mean > 0 ? 2 - std::floor(std::log10(kl.mean)) : 0;
  return fmt::format("{:.{}f}", value, std::clamp(static_cast<int>(least), 6, 12));
}

std::string divergence_picture(const Judgement& judgement) {
  const DivergenceSummary& kl = judgement.scores.compared->kl;
  const std::string drawn =
      kl.max > 0 ? Chart(judgement).html()
                 : element("p", "", "Both models give every token the same probability.");
  return element("div", "beside",
                 element("div", "chart", drawn) + element("div", "", percentiles(kl)));
}

}  // namespace zp
