// zeropoint help: what --help says, the way git has it.
#include <fmt/format.h>

#include "base/named.h"
#include "cli/command.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint help\n"
    "  zeropoint help quantize\n"
    "  zeropoint help explain grid";

int help(const CLI::App& program, const std::vector<std::string>& words, const Common& common) {
  const CLI::App* app = &program;
  std::string before;  // the words of the command line in front of it
  for (const std::string& word : words) {
    std::vector<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(sub->get_name());
      if (known.back() == lower_case(word)) next = sub;
    }
    if (next == nullptr) throw_unknown("help", "command", word, known);
    before += (before.empty() ? "" : " ") + app->get_name();
    app = next;
  }
  if (common.json) {
    print_json({{"help", app->help(before)}});
  } else {
    fmt::print("{}", app->help(before));
  }
  return 0;
}

}  // namespace

void add_help(CLI::App& app, Common& common, std::function<int()>& run) {
  CLI::App* sub = add_subcommand(app, common, "help", "Show what a command takes", kExamples);
  auto words = std::make_shared<std::vector<std::string>>();
  sub->add_option("COMMAND", *words, "Which; left out: all commands");
  sub->callback([words, &app, &common, &run] {
    run = [words, &app, &common] { return help(app, *words, common); };
  });
}

}  // namespace zp::cli
