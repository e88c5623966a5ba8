#include "report/fit_section.h"

#include <fmt/format.h>

#include "base/human.h"
#include "report/html.h"
#include "report/report_cells.h"

namespace zp {

std::string fit_html(const ReportedFit& fit, const std::string& id) {
  std::vector<std::vector<Cell>> rows;
  for (const ReportedFit::Tensor& c : fit.tensors) {
    rows.push_back({code_cell(c.name), text_cell(c.role), code_cell(c.grid),
                    number_cell(fmt::format("{:.3f}", c.bits), c.bits),
                    number_cell(fmt::format("{:.6f}", c.loss), c.loss)});
  }
  std::string texts;
  for (const std::string& text : fit.texts) texts += (texts.empty() ? "" : ", ") + text;
  const std::string tiles =
      tile("budget", escaped(fit.budget), fit.met ? "met" : "<b>not met</b>") +
      tile("expected", fmt::format("{:.5f} <small>nats</small>", fit.predicted),
           "sum of the losses of single tensors") +
      tile("measured", fmt::format("{:.5f} <small>nats</small>", fit.divergence),
           fmt::format("{}, &plusmn;&nbsp;{:.5f}",
                       fit.of_file ? "of the file" : "all tensors together, coded with mse",
                       fit.divergence_se));
  return section(
      id, "What the budget chose",
      fmt::format("Each tensor's loss is the mean KL divergence per token, in nats, that it alone "
                  "adds at its grid, measured on {} of {}.",
                  human_counted(fit.tokens, "token"), texts),
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
