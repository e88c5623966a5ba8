#include "report/quantize_report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/utf8.h"
#include "report/divergence_picture.h"
#include "report/heat_map.h"
#include "report/html.h"
#include "report/sample_report.h"
#include "report/worst_tokens.h"
#include "tensor/rows.h"

namespace zp {
namespace {

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t i = text.find(part); i != text.npos; i = text.find(part, i + 1)) ++n;
  return n;
}

std::string map_of(const std::vector<ReportedTensor>& tensors) {
  ReportedOutput output;
  output.tensors = tensors;
  return heat_map(tensors, Shades({output}));
}

TEST(Html, EscapesWhatWouldBeATag) {
  EXPECT_EQ(escaped("<a href=\"x\">'&\n"), "&lt;a href=&#34;x&#34;&gt;&#39;&amp;\n");
  EXPECT_EQ(escaped(std::string_view("\0\x1B\x7F", 3)), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xE0\xA6\x95\xFF"), "\xE0\xA6\x95\xEF\xBF\xBD");
}

TEST(QuantizeReport, HoldsNothingThatRunsOrIsFetched) {
  const std::string html = to_html(sample_report());
  EXPECT_TRUE(is_utf8(html));
  EXPECT_EQ(html.find("<script"), html.npos);
  EXPECT_EQ(html.find("alert(\""), html.npos);
  EXPECT_EQ(html.find("://"), html.npos);
  EXPECT_EQ(html.find("url("), html.npos);
  EXPECT_EQ(html, to_html(sample_report()));
}

TEST(QuantizeReport, SaysWhatWasJudgedOnlyWhenSomethingWas) {
  QuantizeReport report = sample_report();
  EXPECT_NE(to_html(report).find("same first choice"), std::string::npos);
  report.outputs[0].judgement.reset();
  EXPECT_EQ(to_html(report).find("same first choice"), std::string::npos);
}

TEST(QuantizeReport, ComparesSeveralOutputs) {
  QuantizeReport report = sample_report();
  const std::size_t tables = count(to_html(report), "<table");
  EXPECT_EQ(count(to_html(report), "size against KL divergence"), 0u);
  report.outputs.push_back(report.outputs[0]);
  EXPECT_EQ(count(to_html(report), "<table"), 2 * tables + 1);
  EXPECT_EQ(count(to_html(report), "size against KL divergence"), 1u);
}

TEST(QuantizeReport, EveryLinkOfItsContentsLeadsSomewhere) {
  QuantizeReport report = sample_report();
  report.outputs.push_back(report.outputs[0]);
  const std::string html = to_html(report);
  std::size_t links = 0;
  for (std::size_t i = html.find("href=\"#"); i != html.npos; i = html.find("href=\"#", i + 1)) {
    const std::size_t begin = i + 7;
    const std::string id = html.substr(begin, html.find('"', begin) - begin);
    EXPECT_EQ(count(html, " id=\"" + id + "\""), 1u) << id;
    ++links;
  }
  EXPECT_GT(links, 10u);
}

TEST(QuantizeReport, EveryTableCanBeSavedAsCsv) {
  const std::string html = to_html(sample_report());
  EXPECT_EQ(count(html, "href=\"data:text/csv;"), count(html, "<div class=\"wide\">"));
  EXPECT_NE(html.find("tensor%2Cgrid%2Cshape%2Cbytes"), html.npos);
}

TEST(QuantizeReport, SaysWhatToKeepAtMoreBits) {
  QuantizeReport report = sample_report();
  EXPECT_EQ(to_html(report).find("more bits"), std::string::npos);
  report.outputs[0].tensors[1].finer_option = "set 'layers.0.attention.query.weight=q5_0'";
  EXPECT_NE(to_html(report).find("set &#39;layers.0.attention.query.weight=q5_0&#39;"),
            std::string::npos);
}

TEST(QuantizeReport, ShowsTheErrorOfTheOutputsWhereItIsKnown) {
  QuantizeReport report = sample_report();
  EXPECT_NE(to_html(report).find("error of the weights"), std::string::npos);
  report.outputs[0].outputs = Energy{1, 0.0009};
  report.outputs[0].tensors[1].outputs = Energy{1, 0.0025};
  const std::string html = to_html(report);
  EXPECT_NE(html.find("<div class=\"name\">error of the outputs</div><div class=\"value\">3.00 %"),
            html.npos);
  EXPECT_NE(html.find("RMS error 5 % of the outputs&#39;"), html.npos);
}

TEST(QuantizeReport, ErrorsOnTextHeldOutStandBesideThoseOnTheCalibrationText) {
  QuantizeReport report = sample_report();
  EXPECT_EQ(to_html(report).find("held out"), std::string::npos);
  report.outputs[0].held_out = HeldOut{{1, 0.0004}, {1, 0.0009}};
  report.outputs[0].tensors[1].held_out = HeldOut{{1, 0.0016}, {1, 0.0025}};
  const std::string html = to_html(report);
  EXPECT_NE(html.find("<div class=\"value\">2.25 times</div>"), html.npos);
  EXPECT_NE(html.find("RMS 3.00 % and 2.00 %"), html.npos);
  EXPECT_NE(html.find("4.00 %"), html.npos);
  EXPECT_NE(html.find("5.00 %"), html.npos);
}

TEST(QuantizeReport, ShowsWhatABudgetChose) {
  QuantizeReport report = sample_report();
  report.outputs[0].budget =
      ReportedBudget{.budget = "4.5bpw",
                     .texts = {kHostile},
                     .tokens = 4096,
                     .predicted = 0.01,
                     .divergence = 0.0125,
                     .divergence_se = 0.001,
                     .of_file = true,
                     .met = false,
                     .tensors = {{kHostile, "query", 0, "q4_0", 4.5, 0.002}}};
  const std::string html = to_html(report);
  EXPECT_NE(html.find("4.5bpw"), html.npos);
  EXPECT_NE(html.find("not met"), html.npos);
  EXPECT_NE(html.find("0.002000"), html.npos);
  EXPECT_NE(html.find("0.01250 <small>nats</small>"), html.npos);
}

TEST(HeatMap, OneScaleServesAllOutputs) {
  QuantizeReport report = sample_report();
  report.outputs.push_back(report.outputs[0]);
  for (ReportedTensor& t : report.outputs[1].tensors) t.energy.error *= 100;
  const std::string html = to_html(report);
  EXPECT_NE(html.find("cell s0\" title=\"layer 0, query"), html.npos) << "small in the first";
  EXPECT_NE(html.find("cell s6\" title=\"layer 0, query"), html.npos) << "large in the second";
}

TEST(HeatMap, HasACellForEveryLayerAndRole) {
  const std::string html = map_of(sample_report().outputs[0].tensors);
  EXPECT_EQ(count(html, "<td class=\"cell "), 4u);
  EXPECT_EQ(count(html, "<td></td>"), 1u);  // layer 1 has no key
  EXPECT_EQ(count(html, "<td class=\"cell exact\""), 1u);
  EXPECT_EQ(count(html, "title=\"layer 1, query\nRMS error 2 % of the weights&#39;"), 1u);
}

TEST(HeatMap, ShadesSpanTheErrorsInsideTheLayers) {
  const std::string html = map_of(sample_report().outputs[0].tensors);
  EXPECT_NE(html.find("cell s6\" title=\"layer 0, query"), html.npos);
  EXPECT_NE(html.find("cell s0\" title=\"layer 1, query"), html.npos);
  EXPECT_NE(html.find("cell s0\" title=\"embedding"), html.npos);
}

TEST(HeatMap, ASmallSpreadIsNotBlownUp) {
  const std::string html =
      map_of({sample_tensor("query", 0, 0.01), sample_tensor("query", 1, 0.0101)});
  EXPECT_EQ(html.find("cell s0\""), html.npos);
  EXPECT_EQ(html.find("cell s6\""), html.npos);
}

TEST(HeatMap, TextsHaveTwoDigits) {
  EXPECT_EQ(error_text(0), "=");
  EXPECT_EQ(error_text(0.00527), "0.53");
  EXPECT_EQ(error_text(0.0603), "6.0");
  EXPECT_EQ(error_text(0.126), "13");
}

TEST(DivergencePicture, IsWordsWhereNothingDiffers) {
  Judgement same = sample_judgement();
  EXPECT_EQ(count(divergence_picture(same), "<svg"), 1u);
  same.scores.compared->kl = {};
  same.curve = {{1, 0}};
  EXPECT_EQ(count(divergence_picture(same), "<svg"), 0u);
}

TEST(WorstTokens, ShowsWholeCharactersAndSpellsOutTheRest) {
  const std::string html = worst_tokens_html(sample_judgement());
  EXPECT_NE(html.find("dir=\"auto\">\xE0\xA6\x95 <mark>"), html.npos);
  EXPECT_NE(html.find("<code>&#34;\\n&#34;</code>"), html.npos);
  EXPECT_NE(html.find("<code>&#34;&lt;/code&gt;&#34;</code>"), html.npos);
}

TEST(WorstTokens, WhatIsDrawnAsOneCharacterIsMarkedTogether) {
  Judgement j = sample_judgement();
  // KA, its vowel sign, and a sign behind it.
  j.worst[0].before = "\xE0\xA6\xAC \xE0\xA6\x95";
  j.worst[0].token = "\xE0\xA6\xBE";
  j.worst[0].after = "\xE0\xA6\x81 b";
  EXPECT_NE(
      worst_tokens_html(j).find("\xE0\xA6\xAC <mark>\xE0\xA6\x95\xE0\xA6\xBE\xE0\xA6\x81</mark>"
                                "<span class=\"after\"> b</span>"),
      std::string::npos);
}

std::vector<float> ramp(std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(i % 97 - 48) / 64.0f);
  return values;
}

TEST(WeightHistogram, MarksAllValuesOfAGroup) {
  const auto rows = constant_rows(ramp(64 * 64), 64, 64);
  const WeightHistogram h = weight_histogram(*rows, *make_grid("int4:g32:sym:s32"), Fit::range);
  EXPECT_EQ(h.values.size(), 16u);
  EXPECT_TRUE(std::ranges::is_sorted(h.values));
  EXPECT_EQ(h.counted, 64 * 64);
  std::int64_t sum = h.beyond;
  for (const std::int64_t n : h.bins) sum += n;
  EXPECT_EQ(sum, h.counted);
  EXPECT_EQ(h.column % 32, 0);
}

TEST(WeightHistogram, WorksForEveryGrid) {
  const auto rows = constant_rows(ramp(4 * 1024), 4, 1024);
  for (const GridFamily* family : grid_families()) {
    for (const std::string& spec : family->examples()) {
      const WeightHistogram h = weight_histogram(*rows, *make_grid(spec), Fit::search);
      EXPECT_EQ(h.grid, make_grid(spec)->spec());
      EXPECT_FALSE(h.bins.empty()) << spec;
      const int bits = make_grid(spec)->affine() ? make_grid(spec)->affine()->bits : 16;
      if (bits <= 8) {
        EXPECT_LE(h.values.size(), 1u << bits) << spec;
      }
      EXPECT_LE(h.values.size(), 300u) << spec;
    }
  }
}

TEST(WeightHistogram, ReadsSomeRowsOfManyAndSaysSo) {
  const auto rows = constant_rows(ramp(4096 * 128), 4096, 128);
  const WeightHistogram h = weight_histogram(*rows, *make_grid("q8_0"), Fit::range);
  EXPECT_EQ(h.counted, 1 << 18);
  EXPECT_EQ(h.weights, 1 << 19);
}

TEST(WeightHistogram, OfNothingButZerosHasNoBins) {
  const auto rows = constant_rows(std::vector<float>(64, 0), 1, 64);
  EXPECT_TRUE(weight_histogram(*rows, *make_grid("q4_0"), Fit::range).bins.empty());
}

}  // namespace
}  // namespace zp
