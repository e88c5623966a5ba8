// A small report for tests, with names that would be tags where they weren't escaped.
#pragma once

#include "report/quantize_report.h"

namespace zp {

constexpr const char* kHostile = "<script>alert(\"x\")</script>&'";

inline ReportedTensor sample_tensor(const char* role, std::int64_t layer, double error) {
  ReportedTensor t;
  t.name = std::string(role) + kHostile;
  t.role = role;
  t.layer = layer;
  t.rows = 4;
  t.cols = 32;
  t.grid = "q4_0";
  t.bytes = 72;
  t.energy = {1, error};
  return t;
}

inline Judgement sample_judgement() {
  Judgement j;
  j.context = 8;
  j.scores =
      summarize({{.loss = 1, .reference_loss = 1, .kl = 0.001, .guess = {}, .reference_guess = {}},
                 {.loss = 2, .reference_loss = 1, .kl = 0.5, .guess = {}, .reference_guess = {}}},
                true);
  j.curve = {{0.5, 0.001}, {1, 0.5}};
  j.worst = {{.before = "\xBE\xE0\xA6\x95 ",
              .token = kHostile,
              .after = "\xFF",
              .guess = "\n",
              .reference_guess = "</code>",
              .score = {}}};
  j.worst[0].score.kl = 0.5;
  return j;
}

inline QuantizeReport sample_report() {
  QuantizeReport report;
  report.title = kHostile;
  report.source = kHostile;
  report.architecture = "llama";
  report.method = "mse";
  report.text = kHostile;
  report.parameters = 640;
  report.source_bytes = 2560;
  report.source_bits_per_weight = 32;
  ReportedOutput& o = report.outputs.emplace_back();
  o.path = kHostile;
  o.container = "gguf";
  o.grid = "q4_0";
  o.bytes = 360;
  o.bits_per_weight = 4.5;
  o.energy = {5, 0.02};
  o.tensors = {sample_tensor("embedding", -1, 0.0001), sample_tensor("query", 0, 0.01),
               sample_tensor("key", 0, 0), sample_tensor("query", 1, 0.0004),
               sample_tensor("query", 1, 0.0004)};
  o.notes = {kHostile};
  o.judgement = sample_judgement();
  return report;
}

}  // namespace zp
