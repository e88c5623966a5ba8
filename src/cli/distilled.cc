#include "cli/distilled.h"

#include <fmt/core.h>

#include "base/human.h"

namespace zp::cli {

Json to_json(const DistilledOutput& output) {
  Json looks = Json::array();
  for (const DistillLook& look : output.looks)
    looks.push_back({{"step", look.step},
                     {"loss", look.loss ? Json(*look.loss) : Json()},
                     {"held_out_kl", look.held_out}});
  return {{"before", output.before()}, {"after", output.after()},   {"trained", output.trained},
          {"left", output.left},       {"seconds", output.seconds}, {"looks", std::move(looks)}};
}

std::string distilled_text(const DistilledOutput& output) {
  std::string text =
      fmt::format("  distilled: KL divergence {:.5f} on text held out, {:.5f} before, in {}\n",
                  output.after(), output.before(), human_duration(output.seconds));
  if (output.best == 0) text += "  nothing that was learned is better there: the output stays\n";
  if (output.left > 0)
    text += fmt::format("  {} not trained: not stored by rows of their own\n",
                        human_counted(output.left, "tensor"));
  return text;
}

}  // namespace zp::cli
