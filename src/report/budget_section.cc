#include "report/budget_section.h"

#include <fmt/core.h>

#include "base/human.h"
#include "report/html.h"
#include "report/report_cells.h"

namespace zp {

std::string budget_html(const ReportedBudget& of, const std::string& id) {
  std::vector<std::vector<Cell>> rows;
  for (const ReportedBudget::Tensor& c : of.tensors) {
    rows.push_back({code_cell(c.name), text_cell(c.role), code_cell(c.grid),
                    number_cell(fmt::format("{:.3f}", c.bits), c.bits),
                    number_cell(fmt::format("{:.6f}", c.loss), c.loss)});
  }
  std::string texts;
  for (const std::string& text : of.texts) texts += (texts.empty() ? "" : ", ") + text;
  const std::string tiles =
      tile("budget", escaped(of.budget), of.met ? "met" : "<b>not met</b>") +
      tile("expected", fmt::format("{:.5f} <small>nats</small>", of.predicted),
           "sum of the losses of single tensors") +
      tile("measured", fmt::format("{:.5f} <small>nats</small>", of.divergence),
           fmt::format("{}, &plusmn;&nbsp;{:.5f}",
                       of.of_file ? "of the file" : "all tensors together, coded with mse",
                       of.divergence_se));
  return section(
      id, "What the budget chose",
      fmt::format("Each tensor's loss is the mean KL divergence per token, in nats, that it alone "
                  "adds at its grid, measured on {} of {}.",
                  human_counted(of.tokens, "token"), texts),
      element("div", "tiles", tiles) + "\n" +
          fmt::format("<details><summary>Losses of {}</summary>\n{}</details>\n",
                      human_counted(std::ssize(rows), "tensor"),
                      table(id,
                            {{"tensor", false},
                             {"role", false},
                             {"grid", false},
                             {"bits per weight", true},
                             {"loss, nats per token", true}},
                            rows)));
}

}  // namespace zp
