#include "pipeline/judge_outputs.h"

#include "base/error.h"

namespace zp {

void check_judgeable(const Plan& plan, const LoadedModel& source, const JudgeText& text) {
  for (const PlannedOutput& output : plan.outputs) {
    if (output.container->is_model()) continue;
    throw Error(output.path.string(),
                "can't be judged: " + std::string(output.container->name()) +
                    " can't be read back as a model",
                "another container, or no --judge");
  }
  check_text(subject_of(source), text);
}

std::vector<Judgement> judge_outputs(const Plan& plan, const LoadedModel& source,
                                     const JudgeText& text, const Team& team, Progress& progress) {
  const Subject reference = subject_of(source);
  std::vector<std::unique_ptr<LoadedModel>> written;
  std::vector<Subject> subjects;
  for (const PlannedOutput& output : plan.outputs) {
    written.push_back(load_model(output.path));
    subjects.push_back(subject_of(*written.back()));
  }
  return judge(subjects, &reference, text, team, progress);
}

}  // namespace zp
