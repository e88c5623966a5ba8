#include "cli/command.h"

#include <fmt/core.h>

#include <cstdio>

#include "base/json.h"

namespace zp::cli {

#define ZP_COMMAND(file) \
  void add_##file(const Command& app, Common& common, std::function<int()>& run);
#include "cli/commands.def"
#undef ZP_COMMAND

void add_commands(const Command& program, Common& common, std::function<int()>& run) {
#define ZP_COMMAND(file) add_##file(program, common, run);
#include "cli/commands.def"
#undef ZP_COMMAND
}

Command add_subcommand(const Command& app, Common& common, const std::string& name,
                       const std::string& summary, const std::string& examples) {
  const Command sub = app.add_subcommand(name, summary);
  sub.ignore_case();
  sub.footer("Examples:\n" + examples);
  sub.add_flag("--json", common.json, "One JSON object on standard output, nothing else there");
  sub.add_flag("--quiet,-q", common.quiet, "No progress, no notes");
  sub.add_flag("--verbose,-v", common.verbose, "More detail");
  sub.add_option("--threads", common.threads, "Threads to work with (default: one per core)")
      .range(1, 1024);
  sub.add_option("--cpu", common.cpu,
                 "Use no better instruction set than this (see list instruction-sets)");
  return sub;
}

void add_merge(const Command& sub, std::string& merge) {
  sub.add_option("--merge", merge,
                 "An adapter that the model holds beside its text's weights, into them: vision or "
                 "speech, of Phi-4-multimodal; without it none counts");
}

void add_adapter(const Command& sub, std::string& adapter) {
  sub.add_option(
      "--adapter", adapter,
      "A folder of PEFT's layout or a GGUF file of llama.cpp's, as tune writes them: into the "
      "model's weights as they are read");
}

std::string command_line(std::span<const char* const> arguments) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  std::string line = "zeropoint";
  for (const std::string_view word : arguments) {
    line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string with_options(std::string_view message) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz-";
  std::string out;
  while (!message.empty()) {
    const std::size_t begin = std::min(message.find('`'), message.size());
    out += message.substr(0, begin);
    message.remove_prefix(begin);
    if (message.empty()) break;
    const std::size_t end = std::min(message.find_first_not_of(kLetters, 1), message.size() - 1);
    const bool option = end > 1 && message[end] == '`';
    if (option) out += "--";
    out += option ? message.substr(1, end - 1) : message.substr(0, 1);
    message.remove_prefix(option ? end + 1 : 1);
  }
  return out;
}

void print_json(const Json& value) {
  // Names from files may hold anything: what is no UTF-8 is replaced rather than refused.
  const std::string text = value.dump_repaired(2);
  fmt::print("{}\n", text);
}

}  // namespace zp::cli
