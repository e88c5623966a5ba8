#include "cli/trained.h"

#include <fmt/core.h>

#include "base/human.h"

namespace zp::cli {
namespace {

std::string left_text(std::int64_t left) {
  if (left == 0) return {};
  return fmt::format("  {} not trained: not stored by rows of their own\n",
                     human_counted(left, "tensor"));
}

}  // namespace

Json to_json(const RefinedOutput& output) {
  Json layers = Json::array();
  for (const RefinedLayer& layer : output.layers)
    layers.push_back({{"layer", layer.layer}, {"before", layer.before}, {"after", layer.after}});
  return {{"before", output.before},   {"after", output.better() ? output.after : output.before},
          {"trained", output.trained}, {"left", output.left},
          {"seconds", output.seconds}, {"layers", std::move(layers)}};
}

std::string refined_text(const RefinedOutput& output) {
  std::string text = fmt::format(
      "  refined: {:.5f} of the square of what leaves the last layer off on text held out, {:.5f} "
      "before, in {}\n",
      output.after, output.before, human_duration(output.seconds));
  if (!output.better()) text += "  that is no better: the output stays\n";
  return text + left_text(output.left);
}

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
  return text + left_text(output.left);
}

}  // namespace zp::cli
