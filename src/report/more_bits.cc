#include "report/more_bits.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/html.h"
#include "report/report_cells.h"

namespace zp {
namespace {

constexpr std::size_t kShown = 10;
constexpr std::size_t kKept = 3;  // in the line to copy

// Noise to signal for each byte: each tensor's share of its own outputs counts alike, whatever
// layer it is in.
double loss_per_byte(const ReportedTensor& t) {
  const Energy& error = shown_error(t);
  return error.signal == 0 ? 0 : error.error / error.signal / static_cast<double>(t.bytes);
}

std::vector<const ReportedTensor*> worst_of(const ReportedOutput& output) {
  std::vector<const ReportedTensor*> worst;
  for (const ReportedTensor& t : output.tensors) {
    if (!t.finer_option.empty() && loss_per_byte(t) > 0) worst.push_back(&t);
  }
  std::ranges::stable_sort(worst, [](const ReportedTensor* a, const ReportedTensor* b) {
    return loss_per_byte(*a) > loss_per_byte(*b);
  });
  if (worst.size() > kShown) worst.resize(kShown);
  return worst;
}

}  // namespace

std::string more_bits_html(const ReportedOutput& output, const std::string& id) {
  const std::vector<const ReportedTensor*> worst = worst_of(output);
  if (worst.empty()) return {};
  std::vector<std::vector<Cell>> rows;
  std::string line;
  for (const ReportedTensor* t : worst) {
    const double loss = 1e6 * loss_per_byte(*t);
    rows.push_back({code_cell(t->name), code_cell(t->grid), bytes_cell(t->bytes),
                    error_cell(shown_error(*t)), number_cell(fmt::format("{:.3g}", loss), loss),
                    code_cell(t->finer_option)});
    if (rows.size() <= kKept) line += (line.empty() ? "" : " ") + t->finer_option;
  }
  return section(id, "What to keep at more bits",
                 "The tensors that lose most for their bytes: squared error over the signal's "
                 "square, for each million bytes. The line keeps the first of them at the next "
                 "finer grid.",
                 element("pre", "line", element("code", "", escaped(line))) + "\n" +
                     table(id,
                           {{"tensor", false},
                            {"grid", false},
                            {"bytes", true},
                            {"RMS error", true},
                            {"loss per MB", true},
                            {"option", false}},
                           rows));
}

}  // namespace zp
