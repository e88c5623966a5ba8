// zeropoint help: what --help says, the way git has it.
#include <fmt/core.h>

#include <algorithm>

#include "base/named.h"
#include "cli/command.h"

namespace zp::cli {
namespace {

constexpr const char* kExamples =
    "  zeropoint help\n"
    "  zeropoint help quantize\n"
    "  zeropoint help explain grid";

int help(const Command& program, const std::vector<std::string>& words, const Common& common) {
  Command shown = program;
  std::string before;  // the words of the command line in front of it
  for (const std::string& word : words) {
    const std::vector<Command> all = shown.subcommands();
    const auto next = std::ranges::find(all, lower_case(word), &Command::name);
    if (next == all.end()) {
      std::vector<std::string> known;
      for (const Command& one : all) known.push_back(one.name());
      throw_unknown("help", "command", word, known);
    }
    before += (before.empty() ? "" : " ") + shown.name();
    shown = *next;
  }
  if (common.json) {
    print_json({{"help", shown.help(before)}});
  } else {
    fmt::print("{}", shown.help(before));
  }
  return 0;
}

}  // namespace

void add_help(const Command& app, Common& common, std::function<int()>& run) {
  const Command sub = add_subcommand(app, common, "help", "Show what a command takes", kExamples);
  auto words = std::make_shared<std::vector<std::string>>();
  sub.add_option("COMMAND", *words, "Which; left out: all commands");
  sub.callback([words, app, &common, &run] {
    run = [words, app, &common] { return help(app, *words, common); };
  });
}

}  // namespace zp::cli
