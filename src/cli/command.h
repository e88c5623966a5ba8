// What every command shares: common options, output, and how a command is added to the program.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "cli/arguments.h"
#include "model/decoder.h"

namespace zp::cli {

struct Common {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  int threads = 0;
  std::string cpu;      ///< cap on the instruction set, for tests
  std::string command;  ///< command_line() of it all
};

/// Every command of commands.def. Each adds its subcommand and options; `run` is set to what it
/// does once the line is read.
void add_commands(const Command& program, Common& common, std::function<int()>& run);

/// A subcommand with the common options and examples under its help.
Command add_subcommand(const Command& app, Common& common, const std::string& name,
                       const std::string& summary, const std::string& examples);

/// --merge.
void add_merge(const Command& sub, std::string& merge);
/// --adapter.
void add_adapter(const Command& sub, std::string& adapter);

/// "zeropoint" with these arguments as a shell would take them: quoted where they need it.
std::string command_line(std::span<const char* const> arguments);

/// A message of the library's in the command line's words: `tokens` is --tokens.
std::string with_options(std::string_view message);

/// Prints one JSON value on standard output.
void print_json(const Json& value);

/// Progress that people see. Throws Cancelled after Ctrl-C.
std::unique_ptr<Progress> make_progress(const Common& common);

}  // namespace zp::cli
