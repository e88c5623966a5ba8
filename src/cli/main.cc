// The command line. Exit codes: 0 done, 1 bad input, 2 bad usage, 3 a limit was not met, 130
// interrupted.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "base/cpu.h"
#include "base/named.h"
#include "cli/command.h"
#include "cli/interrupt.h"

namespace {

// An option that the command has not; empty: there is none.
std::string unknown_option(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().back();
  std::vector<std::string> known;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : command->remaining()) {
    if (!word.starts_with("--") || word == "--") continue;
    const std::string name = word.substr(0, word.find('='));
    return zp::printable(name, 100) + ": " + zp::unknown_name("option", name, known);
  }
  return {};
}

// A command or an option that there is none of; else what CLI11 says.
std::string usage_error(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  const std::string word = argc > 1 ? argv[1] : "";
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(sub->get_name());
  if (!word.empty() && word[0] != '-' &&
      std::ranges::find(known, zp::lower_case(word)) == known.end())
    return zp::printable(word, 100) + ": " + zp::unknown_name("command", word, known) +
           "; see zeropoint help";
  if (const std::string unknown = unknown_option(app); !unknown.empty())
    return unknown + " (see --help)";
  return fmt::format("{} (see --help)", zp::printable(error.what(), 400));
}

int fail(int code, std::string_view text) {
  fmt::print(stderr, "zeropoint: {}\n", text);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zp::cli;
  CLI::App app{
      "Zeropoint makes trained models small: any checkpoint in, every runtime's own quantized "
      "format out."};
  app.set_version_flag("--version", "zeropoint " ZEROPOINT_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  zeropoint quantize Phi-3.5-mini-instruct --to gguf:q4_0\n"
      "  zeropoint explain number 7.325\n"
      "  zeropoint COMMAND --help      shows what a command takes, with examples");
  Common common;
  common.command = command_line(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  std::function<int()> run;
  for (const Command& command : commands()) command.add(app, common, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(2, usage_error(app, argc, argv, error));
  }
  try {
    catch_interrupts();
    if (!common.cpu.empty()) zp::limit_instruction_set(common.cpu);
    return run();
  } catch (const zp::UsageError& error) {
    return fail(2, with_options(error.what()));
  } catch (const zp::Error& error) {
    return fail(1, with_options(error.what()));
  } catch (const zp::Cancelled&) {
    return fail(130, interrupt_words());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory");
  } catch (const std::exception& error) {
    return fail(1, zp::printable(error.what(), 400));
  }
}
