#include "report/evaluation.h"

#include <fmt/core.h>

#include "base/human.h"
#include "base/json.h"

namespace zp {

Json to_json(const Judgement& judgement) {
  const Scores& s = judgement.scores;
  Json j = {{"tokens", s.tokens},
            {"context", judgement.context},
            {"perplexity", s.perplexity.value},
            {"perplexity_se", s.perplexity.se}};
  if (!s.compared) return j;
  const Scores::Compared& c = *s.compared;
  const DivergenceSummary& d = c.kl;
  j["reference_perplexity"] = c.reference_perplexity.value;
  j["reference_perplexity_se"] = c.reference_perplexity.se;
  j["perplexity_ratio"] = c.ratio.value;
  j["perplexity_ratio_se"] = c.ratio.se;
  j["perplexity_correlation"] = c.correlation;
  j["kl_divergence"] = {{"mean", d.mean}, {"se", d.se},   {"median", d.median}, {"p90", d.p90},
                        {"p95", d.p95},   {"p99", d.p99}, {"p999", d.p999},     {"max", d.max}};
  j["top1_agreement"] = c.top1_agreement;
  j["top1_agreement_se"] = c.top1_agreement_se;
  j["rms_dp"] = c.rms_dp;
  j["top1_changed"] = Json::array();
  for (std::size_t i = 0; i < c.changed.size(); ++i) {
    const auto share = [&](std::size_t at) {
      return static_cast<double>(at) / static_cast<double>(c.changed.size());
    };
    j["top1_changed"].push_back({{"from", share(i)},
                                 {"to", share(i + 1)},
                                 {"tokens", c.changed[i].tokens},
                                 {"changed", c.changed[i].changed}});
  }
  return j;
}

std::string to_text(const Judgement& judgement) {
  const Scores& s = judgement.scores;

  std::string text = fmt::format("tokens scored     {}, in windows of {}\n", human_count(s.tokens),
                                 judgement.context);
  text += fmt::format("perplexity        {:.4f} +- {:.4f}\n", s.perplexity.value, s.perplexity.se);
  if (!s.compared) return text;
  const Scores::Compared& c = *s.compared;
  const DivergenceSummary& d = c.kl;
  text += fmt::format("  the reference's {:.4f} +- {:.4f}\n", c.reference_perplexity.value,
                      c.reference_perplexity.se);
  text += fmt::format("  ratio           {:.5f} +- {:.5f}, correlation {:.2f} %\n", c.ratio.value,
                      c.ratio.se, 100 * c.correlation);
  text += fmt::format("KL divergence     {:.6f} +- {:.6f} nats per token\n", d.mean, d.se);
  text += fmt::format(
      "  median {:.6f}, 90 % {:.6f}, 95 % {:.6f}, 99 % {:.6f}, 99.9 % {:.6f}, max {:.6f}\n",
      d.median, d.p90, d.p95, d.p99, d.p999, d.max);
  text += fmt::format("same first choice {:.2f} +- {:.2f} %\n", 100 * c.top1_agreement,
                      100 * c.top1_agreement_se);
  text += fmt::format("RMS of dp         {:.2f} %\n", 100 * c.rms_dp);
  return text;
}

}  // namespace zp
