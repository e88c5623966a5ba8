#include "report/quantize_report.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/human.h"
#include "report/budget_section.h"
#include "report/heat_map.h"
#include "report/histogram_picture.h"
#include "report/html.h"
#include "report/judged_section.h"
#include "report/more_bits.h"
#include "report/page_style.h"
#include "report/report_cells.h"
#include "report/size_picture.h"

namespace zp {
namespace {

std::string error_tile(const ReportedOutput& o) {
  if (o.outputs) {
    return tile("error of the outputs", error_percent(*o.outputs),
                fmt::format("RMS, of the linears&#39; own, by the {} of their inputs; of the "
                            "weights {}, SQNR {}",
                            o.from_moments ? "second moments" : "mean squares",
                            error_percent(o.energy), decibels(o.energy)));
  }
  return tile("error of the weights", error_percent(o.energy),
              o.energy.error == 0 ? "every weight is what it was"
                                  : "RMS, of the weights&#39; own; SQNR " + decibels(o.energy));
}

std::string held_out_tile(const HeldOut& error) {
  return tile("on text held out", fmt::format("{:.2f} times", error.times()),
              fmt::format("the squared error of the outputs on the calibration text, with what "
                          "layers before lost; RMS {} and {}",
                          error_percent(error.held_out), error_percent(error.seen)));
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
              human_counted(report.parameters, "weight")) +
         error_tile(o);
}

// What is stored as which grid, in the order they first appear.
std::string grids_table(const ReportedOutput& o, const std::string& id) {
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
  std::vector<std::vector<Cell>> rows;
  for (const Line& l : lines) {
    rows.push_back({code_cell(l.grid), count_cell(l.tensors), count_cell(l.weights),
                    bytes_cell(l.bytes), bits_cell(l.bytes, l.weights), error_cell(l.energy)});
  }
  return table(id + "-grids",
               {{"grid", false},
                {"tensors", true},
                {"weights", true},
                {"bytes", true},
                {"bits per weight", true},
                {"RMS error of weights", true}},
               rows);
}

std::string tensors_table(const ReportedOutput& o, const std::string& id) {
  std::vector<Column> columns = {
      {"tensor", false}, {"grid", false},           {"shape", true},
      {"bytes", true},   {"bits per weight", true}, {"RMS error of weights", true},
      {"SQNR", true}};
  if (o.outputs) columns.push_back({"RMS error of outputs", true});
  if (o.held_out) {
    columns.push_back({"on the calibration text", true});
    columns.push_back({"on text held out", true});
  }
  std::vector<std::vector<Cell>> rows;
  for (const ReportedTensor& t : o.tensors) {
    const Cell sqnr = t.energy.error == 0 ? text_cell("exact")
                                          : number_cell(decibels(t.energy), t.energy.sqnr_db());
    rows.push_back({code_cell(t.name),
                    code_cell(t.grid),
                    {fmt::format("{} &times; {}", human_count(t.rows), human_count(t.cols)),
                     fmt::format("{} x {}", t.rows, t.cols)},
                    count_cell(t.bytes),
                    bits_cell(t.bytes, t.rows * t.cols),
                    error_cell(t.energy),
                    sqnr});
    if (o.outputs) rows.back().push_back(t.outputs ? error_cell(*t.outputs) : text_cell(""));
    if (!o.held_out) continue;
    rows.back().push_back(t.held_out ? error_cell(t.held_out->seen) : text_cell(""));
    rows.back().push_back(t.held_out ? error_cell(t.held_out->held_out) : text_cell(""));
  }
  return fmt::format("<details><summary>Table of {}</summary>\n{}</details>\n",
                     human_counted(std::ssize(rows), "tensor"),
                     table(id + "-tensors", columns, rows));
}

std::string notes_list(const std::vector<std::string>& notes) {
  std::string items;
  for (const std::string& note : notes) items += element("li", "", escaped(note));
  return element("ul", "notes", items);
}

std::string notes_html(const ReportedOutput& o, const std::string& id) {
  if (o.notes.empty()) return {};
  return section(id + "-notes", "Notes",
                 "What the runtime will do differently, or what else to know.",
                 notes_list(o.notes));
}

// Weights far beyond the others of their group make its scale large, and the others' codes coarse.
std::string outliers_table(const ReportedOutput& o, const std::string& id) {
  std::vector<std::vector<Cell>> rows;
  for (const WeightHistogram& h : o.histograms) {
    const double ratio = h.deviation > 0 ? h.largest / h.deviation : 0;
    rows.push_back({text_cell(h.role), code_cell(h.tensor),
                    number_cell(fmt::format("{:.4g}", h.deviation), h.deviation),
                    number_cell(fmt::format("{:.4g}", h.largest), h.largest),
                    number_cell(fmt::format("{:.1f}", ratio), ratio)});
  }
  return table(id + "-outliers",
               {{"role", false},
                {"tensor", false},
                {"RMS (sigma)", true},
                {"largest magnitude", true},
                {"largest / sigma", true}},
               rows);
}

std::string histograms_html(const ReportedOutput& o, const std::string& id) {
  if (o.histograms.empty()) return {};
  std::string figures;
  for (const WeightHistogram& h : o.histograms) figures += histogram_picture(h);
  return section(id + "-weights", "Weights and the values they can take",
                 "How the weights of one tensor of each role lie, and below them which values one "
                 "group of them can be stored as: the group whose range is the median.",
                 element("div", "figures", figures)) +
         section(id + "-outliers", "Outliers",
                 "The largest weight of the same tensors, in units of their root mean square: "
                 "where it is far out, small groups and searched scales help most.",
                 outliers_table(o, id));
}

std::string heat_map_html(const ReportedOutput& o, const Shades& shades, const std::string& id) {
  const char* of_weights =
      "Root mean square of what rounding changed, in per cent of the weights' own, for each layer "
      "and role. Point at a cell for its tensors.";
  const char* of_outputs =
      "Root mean square of what rounding changed in each linear's outputs, by the statistics of "
      "its inputs, in per cent of the outputs' own, for each layer and role; where no inputs are "
      "known (norms, embeddings), of the weights. Point at a cell for its tensors.";
  return section(id + "-errors", "Where the error is", o.outputs ? of_outputs : of_weights,
                 heat_map(o.tensors, shades));
}

std::string output_html(const QuantizeReport& report, const ReportedOutput& o, const Shades& shades,
                        const std::string& id) {
  std::string html = fmt::format("<section id=\"{}\">\n<h2>{}:{}</h2>\n", id, escaped(o.container),
                                 escaped(o.grid));
  html += fmt::format("<p class=\"lead\"><code>{}</code></p>\n", escaped(o.path));
  std::string tiles = size_tiles(report, o);
  if (o.held_out) tiles += held_out_tile(*o.held_out);
  if (o.judgement) tiles += judged_tiles(*o.judgement);
  html += element("div", "tiles", tiles) + "\n";
  if (o.budget) html += budget_html(*o.budget, id + "-budget");
  html += heat_map_html(o, shades, id) + grids_table(o, id) + tensors_table(o, id) +
          more_bits_html(o, id + "-more-bits") + histograms_html(o, id);
  if (o.judgement) html += judged_html(report.text, *o.judgement, id);
  return html + notes_html(o, id) + "</section>\n";
}

std::string id_of(std::size_t output) { return fmt::format("output-{}", output + 1); }

// Links to every output and its parts.
std::string contents_html(const QuantizeReport& report) {
  std::string items;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    const ReportedOutput& o = report.outputs[i];
    struct Part {
      const char* id;
      const char* title;
      bool there;
    };
    const bool judged = o.judgement.has_value();
    std::string parts;
    for (const Part& p :
         {Part{"budget", "budget", o.budget.has_value()}, Part{"errors", "errors", true},
          Part{"more-bits", "more bits", !more_bits_html(o, "").empty()},
          Part{"weights", "weights", !o.histograms.empty()},
          Part{"outliers", "outliers", !o.histograms.empty()},
          Part{"divergence", "divergence", judged}, Part{"changed", "first choices", judged},
          Part{"worst", "worst tokens", judged}, Part{"notes", "notes", !o.notes.empty()}}) {
      if (p.there) parts += fmt::format(" <a href=\"#{}-{}\">{}</a>", id_of(i), p.id, p.title);
    }
    items += fmt::format("<li><a href=\"#{}\"><b>{}:{}</b></a>{}</li>\n", id_of(i),
                         escaped(o.container), escaped(o.grid), parts);
  }
  return fmt::format("<nav aria-label=\"Contents\"><ul>\n{}</ul></nav>\n", items);
}

std::string header_html(const QuantizeReport& report) {
  const auto fact = [](std::string_view name, const std::string& value) {
    return value.empty() ? std::string()
                         : fmt::format("<span>{} <b>{}</b></span>", name, escaped(value));
  };
  const std::string facts =
      fact("source", report.source) + fact("architecture", report.architecture) +
      fact("weights", human_count(report.parameters)) + fact("method", report.method) +
      fact("calibrated on", report.calibration) + fact("that text", report.calibration_kind) +
      fact("experts", report.few_tokens) + fact("judged on", report.text) +
      fact("version", report.version) + fact("date", report.date) +
      fact("took", report.seconds > 0 ? human_duration(report.seconds) : "");
  const std::string command =
      report.command.empty() ? ""
                             : element("pre", "line", element("code", "", escaped(report.command)));
  const std::string notes =
      report.notes.empty() ? ""
                           : element("p", "intro", "Of the source:") + notes_list(report.notes);
  return fmt::format(
      "<header>\n<h1>{}, quantized</h1>\n<div class=\"facts\">{}</div>\n{}{}{}{}</header>\n",
      escaped(report.title), facts, command, notes, contents_html(report), comparison_html(report));
}

}  // namespace

std::string to_html(const QuantizeReport& report) {
  std::string body = header_html(report);
  const Shades shades(report.outputs);
  for (std::size_t i = 0; i < report.outputs.size(); ++i)
    body += output_html(report, report.outputs[i], shades, id_of(i));
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
