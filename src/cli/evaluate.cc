// zeropoint evaluate: what a model is worth on a text, alone or against another.
#include "judge/evaluate.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/command.h"
#include "pipeline/load.h"
#include "text/encode.h"
#include "text/utf8.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint evaluate models/demo --text models/demo/heldout.txt\n"
    "  zeropoint evaluate demo-q4_0.gguf --text heldout.txt --against models/demo\n"
    "  zeropoint evaluate model.gguf --text wiki.test.raw --context 2048 --json";

struct Options {
  std::string model;
  std::string text;
  std::string against;
  std::int64_t context = 512;
};

// A model and the engine that runs it.
struct Side {
  std::unique_ptr<LoadedModel> loaded;
  Engine engine;

  Side(const std::string& path, const Team& team)
      : loaded(load_model(path)), engine(loaded->model, team) {}
};

const Tokenizer& tokenizer_of(const LoadedModel& loaded) {
  if (loaded.tokenizer) return *loaded.tokenizer;
  throw Error(loaded.checkpoint.path.string(), "no tokenizer",
              "tokenizer.json, tokenizer.model, vocab.json with merges.txt, or *.tiktoken");
}

void check_same_tokens(const Tokenizer& ours, const Tokenizer& theirs, const Options& o) {
  const std::size_t shared = std::min(ours.tokens.size(), theirs.tokens.size());
  for (std::size_t i = 0; i < shared; ++i) {
    const Token& a = theirs.tokens[i];
    const Token& b = ours.tokens[i];
    if (a.text == b.text || a.type == TokenType::unused || b.type == TokenType::unused) continue;
    throw Error(o.model,
                "vocabulary differs from that of " + o.against + " at token " + std::to_string(i),
                a.text, b.text);
  }
}

Json to_json(const Scores& s, std::int64_t context) {
  Json j = {{"tokens", s.tokens},
            {"context", context},
            {"perplexity", s.perplexity.value},
            {"perplexity_se", s.perplexity.se}};
  if (!s.compared) return j;
  const Scores::Compared& c = *s.compared;
  const DivergenceSummary& d = c.kl;
  j["reference_perplexity"] = c.reference_perplexity.value;
  j["kl_divergence"] = {{"mean", d.mean}, {"se", d.se},   {"median", d.median}, {"p90", d.p90},
                        {"p95", d.p95},   {"p99", d.p99}, {"p999", d.p999},     {"max", d.max}};
  j["top1_agreement"] = c.top1_agreement;
  j["top1_agreement_se"] = c.top1_agreement_se;
  j["rms_dp"] = c.rms_dp;
  return j;
}

void print_text(const Scores& s, std::int64_t context) {
  fmt::print("tokens scored     {}, in windows of {}\n", human_count(s.tokens), context);
  fmt::print("perplexity        {:.4f} +- {:.4f}\n", s.perplexity.value, s.perplexity.se);
  if (!s.compared) return;
  const Scores::Compared& c = *s.compared;
  const DivergenceSummary& d = c.kl;
  fmt::print("  the reference's {:.4f} +- {:.4f}\n", c.reference_perplexity.value,
             c.reference_perplexity.se);
  fmt::print("KL divergence     {:.6f} +- {:.6f} nats per token\n", d.mean, d.se);
  fmt::print("  median {:.6f}, 90 % {:.6f}, 95 % {:.6f}, 99 % {:.6f}, 99.9 % {:.6f}, max {:.6f}\n",
             d.median, d.p90, d.p95, d.p99, d.p999, d.max);
  fmt::print("same first choice {:.2f} +- {:.2f} %\n", 100 * c.top1_agreement,
             100 * c.top1_agreement_se);
  fmt::print("RMS of dp         {:.2f} %\n", 100 * c.rms_dp);
}

int evaluate_command(const Options& o, const Common& common) {
  const Team team(common.threads);
  Side side(o.model, team);
  const Tokenizer& tokenizer = tokenizer_of(*side.loaded);
  std::unique_ptr<Side> reference;
  if (!o.against.empty()) {
    reference = std::make_unique<Side>(o.against, team);
    if (reference->loaded->tokenizer)
      check_same_tokens(tokenizer, *reference->loaded->tokenizer, o);
  }
  const std::string text = read_text(o.text);
  if (!is_utf8(text)) throw Error(o.text, "not UTF-8 text");
  const std::vector<TokenId> ids = Encoder(tokenizer, o.model).encode(text, true);
  Windows windows{.tokens = ids, .context = o.context, .bos = {}};
  if (tokenizer.add_bos && tokenizer.bos) windows.bos = static_cast<std::int32_t>(*tokenizer.bos);
  const std::unique_ptr<Progress> progress = make_progress(common);
  const Scores scores = summarize(
      evaluate(side.engine, reference ? &reference->engine : nullptr, windows, team, *progress),
      reference != nullptr);
  if (common.json) {
    print_json(to_json(scores, o.context));
  } else {
    print_text(scores, o.context);
  }
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "evaluate",
                                 "Measure a model on a text, alone or against another", kExamples);
  auto o = std::make_shared<Options>();
  sub->add_option("MODEL", o->model, "Any model: a folder or a file")->required();
  sub->add_option("--text", o->text, "Plain text to measure on")->required();
  sub->add_option("--against", o->against,
                  "The model it is compared with, usually the one it was made from");
  sub->add_option("--context", o->context, "Tokens of a window; its second half is scored")
      ->capture_default_str();
  sub->callback(
      [o, &common, &run] { run = [o, &common] { return evaluate_command(*o, common); }; });
}

}  // namespace zp::cli
