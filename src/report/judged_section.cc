#include "report/judged_section.h"

#include <fmt/core.h>

#include "base/human.h"
#include "report/divergence_picture.h"
#include "report/html.h"
#include "report/report_cells.h"
#include "report/worst_tokens.h"

namespace zp {
namespace {

std::string changed_table(const Scores::Compared& c, const std::string& id) {
  std::vector<std::vector<Cell>> rows;
  const auto fifths = static_cast<double>(c.changed.size());
  for (std::size_t i = 0; i < c.changed.size(); ++i) {
    const ChangedGuesses& of = c.changed[i];
    const double share =
        of.tokens == 0 ? 0 : static_cast<double>(of.changed) / static_cast<double>(of.tokens);
    const auto at = static_cast<double>(i);
    const std::string bar = fmt::format(
        "<div class=\"share\"><span style=\"width:{:.1f}%\"></span></div>", 100 * share);
    rows.push_back(
        {text_cell(fmt::format("{:.0f} to {:.0f} %", 100 * at / fifths, 100 * (at + 1) / fifths)),
         count_cell(of.tokens),
         count_cell(of.changed),
         number_cell(of.tokens == 0 ? "-" : fmt::format("{:.2f} %", 100 * share), share),
         {bar, ""}});
  }
  return table(id,
               {{"probability of the source's first choice", false},
                {"tokens", true},
                {"changed", true},
                {"share", true},
                {"", false}},
               rows);
}

}  // namespace

std::string judged_tiles(const Judgement& judgement) {
  const Scores& s = judgement.scores;
  const Scores::Compared& c = *s.compared;
  return tile("perplexity",
              fmt::format("<small>{:.4f} &rarr;</small> {:.4f}", c.reference_perplexity.value,
                          s.perplexity.value),
              fmt::format("&plusmn;&nbsp;{:.4f}, on {}; ratio {:.5f} &plusmn;&nbsp;{:.5f}, "
                          "correlation {:.2f} %",
                          s.perplexity.se, human_counted(s.tokens, "token"), c.ratio.value,
                          c.ratio.se, 100 * c.correlation)) +
         tile("KL divergence", kl_text(c.kl, c.kl.mean) + " <small>nats</small>",
              "mean per token, &plusmn;&nbsp;" + kl_text(c.kl, c.kl.se)) +
         tile("same first choice", fmt::format("{:.2f} %", 100 * c.top1_agreement),
              fmt::format("of the tokens, &plusmn;&nbsp;{:.2f} %", 100 * c.top1_agreement_se));
}

std::string judged_html(const std::string& text, const Judgement& judgement,
                        const std::string& id) {
  return section(id + "-divergence", "What it says differently",
                 fmt::format("Both models read {} in windows of {} and told, for every token of "
                             "each second half, how likely each next token is. The divergence says "
                             "how far their answers are apart; most are small, few are not.",
                             text, human_counted(judgement.context, "token")),
                 divergence_picture(judgement)) +
         section(id + "-changed", "Where its first choice is another",
                 "A first choice that was hardly more likely than the second changes easily; one "
                 "that was sure should not.",
                 changed_table(*judgement.scores.compared, id + "-changed")) +
         section(id + "-worst", "Where it differs most",
                 "The tokens at which the two models are farthest apart, in their text.",
                 worst_tokens_html(judgement));
}

}  // namespace zp
