#include "zeropoint/evaluate.h"

#include "api/evaluation.h"
#include "api/running.h"
#include "api/translated.h"
#include "pipeline/evaluate.h"

namespace zeropoint {
namespace {

Estimate estimate_of(const zp::Perplexity& p) { return {p.value, p.se}; }

Comparison comparison_of(const zp::Scores::Compared& c, const std::vector<zp::JudgedToken>& worst) {
  Comparison out;
  out.reference_perplexity = estimate_of(c.reference_perplexity);
  out.perplexity_ratio = estimate_of(c.ratio);
  out.perplexity_correlation = c.correlation;
  out.kl_divergence = {c.kl.mean, c.kl.se,  c.kl.median, c.kl.p90,
                       c.kl.p95,  c.kl.p99, c.kl.p999,   c.kl.max};
  out.top1_agreement = {c.top1_agreement, c.top1_agreement_se};
  out.rms_dp = c.rms_dp;
  for (const zp::JudgedToken& t : worst)
    out.worst.push_back({t.before, t.token, t.after, t.guess, t.reference_guess, t.score.kl});
  return out;
}

}  // namespace

Evaluation evaluation_of(const zp::Judgement& judgement) {
  const zp::Scores& scores = judgement.scores;
  Evaluation out;
  out.tokens = scores.tokens;
  out.context = judgement.context;
  out.perplexity = estimate_of(scores.perplexity);
  if (scores.compared) out.compared = comparison_of(*scores.compared, judgement.worst);
  return out;
}

Evaluation evaluate(const EvaluateRequest& request, const Work& work) {
  return translated([&] {
    Running running(work);
    zp::EvaluateRequest asked;
    asked.model = request.model;
    asked.merge = request.merge;
    asked.adapter = request.adapter;
    asked.text = request.text;
    asked.against = request.against;
    asked.context = request.context;
    return evaluation_of(zp::evaluate(asked, running.team(), running.progress()));
  });
}

}  // namespace zeropoint
