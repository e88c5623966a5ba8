#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/named.h"

namespace zp::cli {
namespace {

std::vector<CLI::App*> subcommands_of(CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// Throws for an option that the command has not, if there is one.
void check_options(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().back();
  std::vector<std::string> known;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : command->remaining()) {
    if (!word.starts_with("--") || word == "--") continue;
    const std::string name = word.substr(0, word.find('='));
    throw UsageError(printable(name, 100), unknown_name("option", name, known) + " (see --help)");
  }
}

// A command or an option that there is none of; else what CLI11 says.
[[noreturn]] void throw_usage(CLI::App& app, const std::string& word, const char* otherwise) {
  std::vector<std::string> known;
  for (const CLI::App* sub : subcommands_of(app)) known.push_back(sub->get_name());
  if (!word.empty() && word[0] != '-' && std::ranges::find(known, lower_case(word)) == known.end())
    throw UsageError(printable(word, 100),
                     unknown_name("command", word, known) + "; see zeropoint help");
  check_options(app);
  throw UsageError("", printable(otherwise, 400) + " (see --help)");
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}
Option& Option::allow_extra_args(bool allow) {
  option_->allow_extra_args(allow);
  return *this;
}
Option& Option::capture_default_str() {
  option_->capture_default_str();
  return *this;
}
Option& Option::range(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  return *this;
}
bool Option::given() const { return option_->count() > 0; }

Command Command::add_subcommand(const std::string& name, const std::string& summary) const {
  return Command(app_->add_subcommand(name, summary));
}
void Command::require_subcommand(int count) const { app_->require_subcommand(count); }
void Command::ignore_case() const { app_->ignore_case(); }
void Command::footer(const std::string& text) const { app_->footer(text); }
void Command::callback(std::function<void()> called) const { app_->callback(std::move(called)); }

template <class T>
Option Command::add_option(const std::string& names, T& value, const std::string& help) const {
  return Option(app_->add_option(names, value, help));
}
Option Command::add_flag(const std::string& names, bool& value, const std::string& help) const {
  return Option(app_->add_flag(names, value, help));
}

std::string Command::name() const { return app_->get_name(); }
std::vector<Command> Command::subcommands() const {
  std::vector<Command> all;
  for (CLI::App* sub : subcommands_of(*app_)) all.emplace_back(sub);
  return all;
}
std::string Command::help(const std::string& before) const { return app_->help(before); }

Program::Program(const std::string& summary, const std::string& version)
    : app_(std::make_unique<CLI::App>(summary)) {
  app_->set_version_flag("--version", version);
}
Program::~Program() = default;

bool Program::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app_->exit(asked);
    return false;
  } catch (const CLI::ParseError& error) {
    throw_usage(*app_, argc > 1 ? argv[1] : "", error.what());
  }
  return true;
}

#define ZP_VALUE(...) \
  template Option Command::add_option(const std::string&, __VA_ARGS__&, const std::string&) const;
ZP_VALUE(std::string)
ZP_VALUE(std::vector<std::string>)
ZP_VALUE(int)
ZP_VALUE(std::int64_t)
ZP_VALUE(std::uint64_t)
ZP_VALUE(double)
ZP_VALUE(std::optional<std::string>)
ZP_VALUE(std::optional<double>)
#undef ZP_VALUE

}  // namespace zp::cli
