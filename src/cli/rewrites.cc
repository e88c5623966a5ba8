#include "cli/rewrites.h"

#include <fmt/core.h>

#include "base/json.h"

namespace zp::cli {

Json rewrites_json(const std::vector<RewriteResult>& results, bool done) {
  Json all = Json::array();
  for (const RewriteResult& r : results) {
    Json j = {{"name", r.name}, {"possible", r.possible}, {"notes", r.notes}};
    if (done) {
      j["changed"] = r.changed;
      j["loss"] = r.loss;
    }
    all.push_back(std::move(j));
  }
  return all;
}

std::string rewrites_text(const std::vector<RewriteResult>& results, bool done) {
  std::string text;
  for (const RewriteResult& r : results) {
    text += done ? fmt::format("{}: {} of {} changed, outputs' error {:.3f} of what it was\n",
                               r.name, r.changed, r.possible, r.loss)
                 : fmt::format("{}: {} can be changed\n", r.name, r.possible);
    for (const std::string& note : r.notes) text += fmt::format("  {}\n", note);
  }
  if (!results.empty()) text += "rewrites change tensors that are kept in a float type, too\n";
  return text;
}

}  // namespace zp::cli
