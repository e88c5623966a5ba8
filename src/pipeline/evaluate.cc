#include "pipeline/evaluate.h"

#include <memory>
#include <optional>

#include "pipeline/load.h"
#include "pipeline/text_files.h"

namespace zp {

Judgement evaluate(const EvaluateRequest& request, const Team& team, Progress& progress) {
  progress.when_interrupted("the text was not read to its end: no figures");
  const std::unique_ptr<LoadedModel> loaded =
      load_model(request.model, progress, request.merge, request.adapter);
  std::unique_ptr<LoadedModel> reference;
  std::optional<Subject> beside;
  if (!request.against.empty()) {
    reference = load_model(request.against, progress);
    beside = subject_of(*reference);
  }
  const JudgeText text{read_documents(request.text), request.context};
  const Subject subject = subject_of(*loaded);
  check_text(subject, text);
  say_beyond_context(loaded->model.decoder, request.context, "windows", progress);
  UnreadRemarks().say(text.documents, *loaded, progress);
  return judge({&subject, 1}, beside ? &*beside : nullptr, text, team, progress).front();
}

}  // namespace zp
