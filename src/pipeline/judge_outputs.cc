#include "pipeline/judge_outputs.h"

#include "base/error.h"
#include "judge/evaluate.h"

namespace zp {

void check_judgeable(const Plan& plan, const LoadedModel& source, const JudgeText& text) {
  for (const PlannedOutput& output : plan.outputs) {
    if (output.container->is_model()) continue;
    throw Error(output.path.string(),
                "can't be judged: " + std::string(output.container->name()) +
                    " can't be read back as a model",
                "another container, or no `judge`");
  }
  check_text(subject_of(source), text);
}

std::vector<Judgement> judge_outputs(const Plan& plan, const LoadedModel& source,
                                     const JudgeText& text, const Team& team, Progress& progress) {
  const Subject reference = subject_of(source);
  std::vector<std::unique_ptr<LoadedModel>> written;
  std::vector<Subject> subjects;
  for (const PlannedOutput& output : plan.outputs) {
    written.push_back(load_model(output.opened()));
    subjects.push_back(subject_of(*written.back()));
  }
  return judge(subjects, &reference, text, team, progress);
}

std::vector<std::optional<DivergenceSummary>> divergences(const Plan& plan,
                                                          const LoadedModel& source,
                                                          const Windows& windows, const Team& team,
                                                          Progress& progress) {
  std::vector<std::int32_t> tokens;
  for (const std::vector<std::int32_t>& window : windows)
    tokens.insert(tokens.end(), window.begin(), window.end());
  std::vector<std::unique_ptr<LoadedModel>> written;
  std::vector<std::unique_ptr<Engine>> engines;
  for (const PlannedOutput& output : plan.outputs) {
    if (!output.container->is_model()) continue;
    written.push_back(load_model(output.opened()));
    engines.push_back(std::make_unique<Engine>(written.back()->model, team));
  }
  Engine reference(source.model, team);
  const auto context = static_cast<std::int64_t>(windows.front().size());
  const auto scores = evaluate(engines, &reference, {tokens, context, {}}, team, progress);
  std::vector<std::optional<DivergenceSummary>> out;
  for (std::size_t i = 0; const PlannedOutput& output : plan.outputs) {
    out.emplace_back();
    if (output.container->is_model()) out.back() = summarize(scores[i++], true).compared->kl;
  }
  return out;
}

}  // namespace zp
