// The whole judgement of models on a text, alone or beside a reference.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "judge/scores.h"
#include "model/architecture.h"
#include "text/dataset.h"
#include "text/tokenizer.h"

namespace zp {

/// A model to be judged; borrows everything.
struct Subject {
  const Model* model = nullptr;
  const Tokenizer* tokenizer = nullptr;  ///< nullptr: it has none
  std::string where;                     ///< what messages begin with
};

struct JudgeText {
  std::vector<Document> documents;
  std::int64_t context = 512;  ///< tokens of a window
};

/// A place where the two models differ much, as bytes of the text.
struct JudgedToken {
  std::string before;  ///< what both models saw last
  std::string token;   ///< what came
  std::string after;
  std::string guess;            ///< what the model expected
  std::string reference_guess;  ///< what the reference expected
  TokenScore score;
};

/// A point of the divergences' distribution: `share` of the tokens diverge by at most `kl`.
struct KlQuantile {
  double share = 0;
  double kl = 0;
};

struct Judgement {
  std::int64_t context = 0;
  Scores scores;
  std::vector<KlQuantile> curve;   ///< beside a reference: from half of the tokens to the last one
  std::vector<JudgedToken> worst;  ///< beside a reference: the largest divergences
};

/// Throws Error for what judge() would refuse of the text: no tokenizer, conversations without a
/// template, fewer tokens than a window.
void check_text(const Subject& subject, const JudgeText& text);

/// One judgement for each subject, all made side by side, so that the reference runs once.
/// reference: may be null. The text is tokenized by the first subject. Throws Error when the
/// models' vocabularies differ, and for what check_text() refuses.
std::vector<Judgement> judge(std::span<const Subject> subjects, const Subject* reference,
                             const JudgeText& text, const Team& team, Progress& progress);

}  // namespace zp
