// The words a program takes, as CLI11 reads them. CLI11 itself is slow to compile, so only
// arguments.cc includes it; what is called the same here does the same there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace zp::cli {

/// An option of a command, or a word without a name; lives as long as its program.
class Option {
 public:
  Option() = default;
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& required();
  /// Whether words behind the first belong to it, too.
  Option& allow_extra_args(bool allow);
  /// --help shows what the value is now.
  Option& capture_default_str();
  Option& range(std::int64_t least, std::int64_t most);

  /// Whether the line had it.
  bool given() const;

 private:
  CLI::Option* option_ = nullptr;
};

/// A command: the program, or what it or a command has by a word. Lives as long as its program.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command add_subcommand(const std::string& name, const std::string& summary) const;
  /// The line must have so many of the subcommands.
  void require_subcommand(int count) const;
  /// Upper and lower case are the same in its name.
  void ignore_case() const;
  /// What --help ends with.
  void footer(const std::string& text) const;
  /// Is called when the line is read and had this command.
  void callback(std::function<void()> called) const;

  /// "--name", "-n,--name", or "NAME": a word without a name. `value` is what stands where the line
  /// has none; must live until the line is read. T is one of those named at the end of
  /// arguments.cc.
  template <class T>
  Option add_option(const std::string& names, T& value, const std::string& help) const;
  Option add_flag(const std::string& names, bool& value, const std::string& help) const;

  std::string name() const;
  std::vector<Command> subcommands() const;
  /// As --help prints it; `before` are the words of the line in front of it.
  std::string help(const std::string& before) const;

 private:
  CLI::App* app_;
};

/// The whole: what stands first in the line.
class Program {
 public:
  /// Takes --help and, with this text, --version.
  Program(const std::string& summary, const std::string& version);
  ~Program();

  Command command() const { return Command(app_.get()); }

  /// Reads the line. False: it asked for help or the version, which is printed. Throws UsageError.
  bool parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace zp::cli
