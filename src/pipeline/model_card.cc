#include "pipeline/model_card.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/atomic_file.h"
#include "base/version.h"
#include "pipeline/plan.h"
#include "pipeline/target.h"

namespace zp {
namespace {

constexpr const char* kCard = "README.md";
constexpr const char* kUnknown = "not measured";
constexpr std::string_view kHub = "https://huggingface.co/";

const gguf::Value* find(const LoadedModel& loaded, std::string_view key) {
  const auto pair = std::ranges::find(loaded.provenance, key, &gguf::Pair::key);
  return pair == loaded.provenance.end() ? nullptr : &pair->value;
}

std::string text_of(const LoadedModel& loaded, std::string_view key) {
  const gguf::Value* value = find(loaded, key);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::string() : *text;
}

std::vector<std::string> texts_of(const LoadedModel& loaded, std::string_view key) {
  const gguf::Value* value = find(loaded, key);
  const auto* texts = value == nullptr ? nullptr : std::get_if<gguf::Strings>(value);
  return texts == nullptr ? std::vector<std::string>() : *texts;
}

// The Hub's ids, else addresses or names.
std::vector<std::string> base_models(const LoadedModel& loaded) {
  std::vector<std::string> ids;
  for (int i = 0;; ++i) {
    const std::string of = fmt::format("general.base_model.{}.", i);
    std::string id = text_of(loaded, of + "repo_url");
    if (id.starts_with(kHub)) id = id.substr(kHub.size());
    if (id.empty()) id = text_of(loaded, of + "name");
    if (id.empty()) return ids;
    ids.push_back(std::move(id));
  }
}

// A text that YAML could read as something else is quoted; one that can't be quoted is left out.
std::string yaml(std::string_view key, const std::vector<std::string>& values, bool list) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-";
  std::string out;
  for (const std::string& value : values) {
    if (value.empty() || value.find_first_of("\"\\\n") != value.npos) continue;
    const bool plain = value.find_first_not_of(kPlain) == value.npos && value != "no" &&
                       value.front() != '-' && value.front() != '.';
    const std::string spelled = plain ? value : "\"" + value + "\"";
    out += list ? "- " + spelled + "\n" : fmt::format("{}: {}\n", key, spelled);
  }
  return out.empty() || !list ? out : fmt::format("{}:\n{}", key, out);
}

std::string head(const LoadedModel& loaded, const PlannedOutput& output) {
  std::vector<std::string> tags = texts_of(loaded, "general.tags");
  const std::string container(output.container->name());
  if (std::ranges::find(tags, container) == tags.end()) tags.push_back(container);
  return "---\n" + yaml("license", {text_of(loaded, "general.license")}, false) +
         yaml("license_name", {text_of(loaded, "general.license.name")}, false) +
         yaml("license_link", {text_of(loaded, "general.license.link")}, false) +
         yaml("base_model", base_models(loaded), true) +
         yaml("language", texts_of(loaded, "general.languages"), true) + yaml("tags", tags, true) +
         "---\n";
}

// What made the output, in the words of who asked for it.
std::string command(const LoadedModel& loaded, const Recipe& recipe, const PlannedOutput& output) {
  std::string line = fmt::format("zeropoint quantize {} `to` {}:{}{}", loaded.name,
                                 output.container->name(), output.grid, recipe.how);
  for (const Exception& e : recipe.exceptions)
    line += fmt::format(" `set` '{}={}'", e.pattern, e.grid);
  if (recipe.origin) {
    const StatisticsOrigin& from = *recipe.origin;
    line += from.file.empty() ? " `calibrate` " + from.dataset : " `statistics` " + from.file;
  }
  return recipe.spell ? recipe.spell(line) : line;
}

std::int64_t weight_bytes(const PlannedOutput& output) {
  std::int64_t bytes = 0;
  for (const TensorJob& job : output.layout.jobs)
    bytes += job.grid->bytes(job.rows->rows(), job.rows->cols());
  return bytes;
}

// A row whose value has room for any figure: two numbers of at most six digits, signs and
// exponents.
std::string late(std::string_view name, const std::string& value) {
  return fmt::format("| {} | {:<40} |\n", name, value);
}

std::string rms_percent(const Energy& e) {
  return fmt::format("{:.4g} %", 100 * std::sqrt(e.error / std::max(e.signal, 1e-300)));
}

std::string figures_table(const CardFigures& figures) {
  const Energy& e = figures.error;
  const std::string error =
      e.error == 0 ? "none" : fmt::format("{}, SQNR {:.2f} dB", rms_percent(e), e.sqnr_db());
  const std::string outputs =
      figures.outputs ? rms_percent(*figures.outputs) : "no statistics of inputs";
  std::string ratio = kUnknown, kl = kUnknown, same = kUnknown;
  if (figures.judgement != nullptr) {
    const Scores::Compared& c = *figures.judgement->scores.compared;
    ratio = fmt::format("{:.6g} +- {:.2g}", c.ratio.value, c.ratio.se);
    kl = fmt::format("{:.6g} +- {:.2g}", c.kl.mean, c.kl.se);
    same = fmt::format("{:.2f} +- {:.2f} %", 100 * c.top1_agreement, 100 * c.top1_agreement_se);
  }
  return late("RMS error of the weights", error) + late("RMS error of the outputs", outputs) +
         late("perplexity over the source's", ratio) +
         late("KL divergence from the source, nats per token", kl) +
         late("same first choice as the source", same);
}

std::string facts(const LoadedModel& loaded, const PlannedOutput& output, const Model& model) {
  std::string text =
      fmt::format("\n# {} as {}:{}\n\nWritten by Zeropoint {} from {}.\n", loaded.title,
                  output.container->name(), output.grid, kVersion, loaded.title);
  for (const std::string& id : base_models(loaded)) {
    const bool hub = id.find("://") == id.npos && id.find('/') != id.npos;
    text += hub ? fmt::format("Its base model: [{}]({}{}).\n", id, kHub, id)
                : fmt::format("Its base model: {}.\n", id);
  }
  if (const std::string license = text_of(loaded, "general.license"); !license.empty())
    text += fmt::format("Its licence: {}.\n", license);
  return text + fmt::format(
                    "\n| | |\n|---|---|\n| parameters | {} |\n| bytes of weights | {} |\n"
                    "| bits per weight | {:.3f} |\n",
                    model.parameters(), weight_bytes(output), output.bits_per_weight(model));
}

}  // namespace

std::string ModelCard::text(const CardFigures& figures) const {
  return before + figures_table(figures) + after;
}

void add_model_card(const LoadedModel& loaded, const Recipe& recipe, const Model& model,
                    PlannedOutput& output) {
  if (!output.layout.folder) return;
  ModelCard card{output.layout.files.size(), head(loaded, output) + facts(loaded, output, model),
                 fmt::format("\n    {}\n", command(loaded, recipe, output))};
  OutputFile file;
  file.name = kCard;
  file.bytes = std::ssize(card.text({}));
  output.layout.files.push_back(std::move(file));
  output.card = std::move(card);
}

void replace_model_card(const PlannedOutput& output, const CardFigures& figures) {
  if (!output.card) return;
  const std::string text = output.card->text(figures);
  AtomicFile file(output.path / kCard, std::ssize(text), true);
  file.write_at(0, std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace zp
