#include "report/quantize_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/divergence_picture.h"
#include "report/heat_map.h"
#include "report/histogram_picture.h"
#include "report/html.h"
#include "report/human.h"
#include "report/page_style.h"
#include "report/worst_tokens.h"

namespace zp {
namespace {

std::string section(std::string_view title, std::string_view intro, std::string_view content) {
  return element("h3", "", escaped(title)) + "\n" + element("p", "intro", escaped(intro)) + "\n" +
         std::string(content);
}

// Three digits, zeros at the end too, so that they stand below each other.
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

double bits(std::int64_t bytes, std::int64_t weights) {
  return 8 * static_cast<double>(bytes) / static_cast<double>(weights);
}

std::string size_tiles(const QuantizeReport& report, const ReportedOutput& o) {
  const double share = static_cast<double>(o.bytes) / static_cast<double>(report.source_bytes);
  const std::string bar =
      fmt::format("<div class=\"share\"><span style=\"width:{:.1f}%\"></span></div>",
                  100 * std::min(1.0, share));
  return tile("size",
              fmt::format("<small>{} &rarr;</small> {}", human_bytes(report.source_bytes),
                          human_bytes(o.bytes)),
              bar + percent(share) + " of the source") +
         tile("bits per weight",
              fmt::format("<small>{:.2f} &rarr;</small> {:.3f}", report.source_bits_per_weight,
                          o.bits_per_weight),
              human_count(report.parameters) + " weights") +
         tile("error of the weights", error_percent(o.energy),
              o.energy.error == 0 ? "every weight is what it was"
                                  : "RMS, of the weights&#39; own; SQNR " + decibels(o.energy));
}

std::string judged_tiles(const Judgement& judgement) {
  const Scores& s = judgement.scores;
  const Scores::Compared& c = *s.compared;
  return tile("perplexity",
              fmt::format("<small>{:.4f} &rarr;</small> {:.4f}", c.reference_perplexity.value,
                          s.perplexity.value),
              fmt::format("&plusmn;&nbsp;{:.4f}, on {} tokens", s.perplexity.se,
                          human_count(s.tokens))) +
         tile("KL divergence", kl_text(c.kl, c.kl.mean) + " <small>nats</small>",
              "mean per token, &plusmn;&nbsp;" + kl_text(c.kl, c.kl.se)) +
         tile("same first choice", fmt::format("{:.2f} %", 100 * c.top1_agreement),
              fmt::format("of the tokens, &plusmn;&nbsp;{:.2f} %", 100 * c.top1_agreement_se));
}

// What is stored as which grid, in the order they first appear.
std::string grids_table(const ReportedOutput& o) {
  struct Line {
    std::string grid;
    std::int64_t tensors = 0;
    std::int64_t weights = 0;
    std::int64_t bytes = 0;
    Energy energy;
  };
  std::vector<Line> lines;
  for (const ReportedTensor& t : o.tensors) {
    auto line = std::ranges::find(lines, t.grid, &Line::grid);
    if (line == lines.end()) line = lines.insert(lines.end(), {t.grid, 0, 0, 0, {}});
    ++line->tensors;
    line->weights += t.rows * t.cols;
    line->bytes += t.bytes;
    line->energy += t.energy;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Line& l : lines) {
    rows.push_back({element("code", "", escaped(l.grid)), human_count(l.tensors),
                    human_count(l.weights), human_bytes(l.bytes),
                    fmt::format("{:.3f}", bits(l.bytes, l.weights)), error_percent(l.energy)});
  }
  return table({{"grid", false},
                {"tensors", true},
                {"weights", true},
                {"bytes", true},
                {"bits per weight", true},
                {"RMS error", true}},
               rows);
}

std::string tensors_table(const ReportedOutput& o) {
  std::vector<std::vector<std::string>> rows;
  for (const ReportedTensor& t : o.tensors) {
    rows.push_back({element("code", "", escaped(t.name)), element("code", "", escaped(t.grid)),
                    fmt::format("{} &times; {}", human_count(t.rows), human_count(t.cols)),
                    human_count(t.bytes), fmt::format("{:.3f}", bits(t.bytes, t.rows * t.cols)),
                    error_percent(t.energy), decibels(t.energy)});
  }
  return fmt::format("<details><summary>All {} tensors</summary>\n{}</details>\n", rows.size(),
                     table({{"tensor", false},
                            {"grid", false},
                            {"shape", true},
                            {"bytes", true},
                            {"bits per weight", true},
                            {"RMS error", true},
                            {"SQNR", true}},
                           rows));
}

std::string notes_html(const ReportedOutput& o) {
  if (o.notes.empty()) return {};
  std::string items;
  for (const std::string& note : o.notes) items += element("li", "", escaped(note));
  return section("Notes", "What the runtime will do differently, or what else to know.",
                 element("ul", "notes", items));
}

std::string judged_html(const QuantizeReport& report, const Judgement& judgement) {
  return section(
             "What it says differently",
             fmt::format("Both models read {} in windows of {} tokens and told, for every token of "
                         "each second half, how likely each next token is. The divergence says "
                         "how far their answers are apart; most are small, few are not.",
                         report.text, judgement.context),
             divergence_picture(judgement)) +
         section("Where it differs most",
                 "The tokens at which the two models are farthest apart, in their text.",
                 worst_tokens_html(judgement));
}

std::string histograms_html(const ReportedOutput& o) {
  std::string figures;
  for (const WeightHistogram& h : o.histograms) figures += histogram_picture(h);
  return section("Weights and the values they can take",
                 "How the weights of one tensor of each role lie, and below them which values one "
                 "group of them can be stored as: the group whose range is the median.",
                 element("div", "figures", figures));
}

std::string output_html(const QuantizeReport& report, const ReportedOutput& o) {
  std::string html =
      fmt::format("<section>\n<h2>{}:{}</h2>\n", escaped(o.container), escaped(o.grid));
  html += fmt::format("<p class=\"lead\"><code>{}</code></p>\n", escaped(o.path));
  std::string tiles = size_tiles(report, o);
  if (o.judgement) tiles += judged_tiles(*o.judgement);
  html += element("div", "tiles", tiles) + "\n";
  html += section("Where the error is",
                  "Root mean square of what rounding changed, in per cent of the weights' own, for "
                  "each layer and role. Point at a cell for its tensors.",
                  heat_map(o.tensors));
  html += grids_table(o) + tensors_table(o);
  if (!o.histograms.empty()) html += histograms_html(o);
  if (o.judgement) html += judged_html(report, *o.judgement);
  return html + notes_html(o) + "</section>\n";
}

// Several outputs side by side.
std::string comparison(const QuantizeReport& report) {
  if (report.outputs.size() < 2) return {};
  const bool judged = report.outputs.front().judgement.has_value();
  std::vector<Column> columns = {
      {"target", false}, {"bytes", true}, {"bits per weight", true}, {"RMS error", true}};
  if (judged)
    columns.insert(columns.end(),
                   {{"KL divergence", true}, {"same first choice", true}, {"perplexity", true}});
  std::vector<std::vector<std::string>> rows;
  for (const ReportedOutput& o : report.outputs) {
    rows.push_back({element("code", "", escaped(o.container + ":" + o.grid)), human_bytes(o.bytes),
                    fmt::format("{:.3f}", o.bits_per_weight), error_percent(o.energy)});
    if (!o.judgement) continue;
    const Scores& s = o.judgement->scores;
    rows.back().push_back(kl_text(s.compared->kl, s.compared->kl.mean));
    rows.back().push_back(fmt::format("{:.2f} %", 100 * s.compared->top1_agreement));
    rows.back().push_back(fmt::format("{:.4f}", s.perplexity.value));
  }
  return table(columns, rows);
}

std::string header_html(const QuantizeReport& report) {
  const auto fact = [](std::string_view name, const std::string& value) {
    return fmt::format("<span>{} <b>{}</b></span>", name, escaped(value));
  };
  std::string facts = fact("source", report.source) + fact("architecture", report.architecture) +
                      fact("weights", human_count(report.parameters)) +
                      fact("method", report.method);
  if (!report.text.empty()) facts += fact("judged on", report.text);
  return fmt::format(
      "<header>\n<h1>{}, quantized</h1>\n<div class=\"facts\">{}</div>\n{}</header>\n",
      escaped(report.title), facts, comparison(report));
}

}  // namespace

std::string to_html(const QuantizeReport& report) {
  std::string body = header_html(report);
  for (const ReportedOutput& o : report.outputs) body += output_html(report, o);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}, "
      "quantized</title>\n<style>{}</style>\n</head>\n"
      "<body>\n{}<footer>Written by Zeropoint. All of it is in this file; it asks for nothing "
      "else.</footer>\n</body>\n</html>\n",
      escaped(report.title), kPageStyle, body);
}

}  // namespace zp
