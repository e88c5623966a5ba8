#include "cli/conversation.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <optional>

#include "base/human.h"
#include "base/utf8.h"
#include "cli/interrupt.h"

namespace zp::cli {
namespace {

// The mark goes to standard error, where people look and scripts don't.
std::optional<std::string> read_message(bool people) {
  if (people) fmt::print(stderr, "> ");
  std::string line;
  if (!std::getline(std::cin, line)) {
    if (people) fmt::print(stderr, "\n");
    return std::nullopt;
  }
  if (line.ends_with('\r')) line.pop_back();
  return repair_utf8(line);
}

void say_end(const Generation& answer, const GenerateRequest& request, const Common& common) {
  if (common.json) return;
  fmt::print("\n");
  std::fflush(stdout);
  if (common.quiet) return;
  if (answer.end == Generation::End::limit)
    fmt::print(stderr, "stopped after {}; --tokens allows more\n",
               human_counted(request.tokens, "token"));
  if (common.verbose && answer.end != Generation::End::cancelled)
    fmt::print(stderr, "{}\n", speeds(answer));
}

}  // namespace

int converse(const GenerateRequest& request, const Common& common) {
  const Team team(common.threads, &cancellation());
  const std::unique_ptr<Progress> progress = make_progress(common);
  Speaker speaker(request, team, *progress);
  const WhenInterrupted words("the conversation is over");
  const bool people = ::isatty(STDIN_FILENO) == 1;
  if (people && !common.quiet)
    fmt::print(stderr, "Ctrl-C stops an answer, /clear begins anew, /exit or Ctrl-D ends\n");
  Json turns = Json::array();
  while (const std::optional<std::string> message = read_message(people)) {
    if (message == "/exit") break;
    if (message == "/clear") speaker.clear();
    if (message == "/clear" || message->empty()) continue;
    const Generation answer = speaker.answer(*message, local_time(), printer(common));
    if (answer.end == Generation::End::cancelled) forget_interrupt();
    say_end(answer, request, common);
    turns.push_back(to_json(answer, speaker.load_seconds()));
  }
  if (common.json) print_json({{"turns", turns}});
  return 0;
}

std::time_t local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm here{};
  localtime_r(&now, &here);
  return now + here.tm_gmtoff;
}

Say printer(const Common& common) {
  if (common.json) return [](std::string_view) {};
  return [](std::string_view piece) {
    fmt::print("{}", piece);
    std::fflush(stdout);
  };
}

Json to_json(const Generation& answer, double load_seconds) {
  return {{"prompt_tokens", answer.prompt_tokens},
          {"tokens", answer.tokens},
          {"text", answer.text},
          {"seconds",
           {{"load", load_seconds},
            {"prompt", answer.prompt_seconds},
            {"generate", answer.generate_seconds}}}};
}

std::string speeds(const Generation& answer) {
  const auto computed = static_cast<double>(answer.prompt_tokens - answer.kept_tokens);
  return fmt::format(
      "prompt {}{}, {:.1f}/s; generated {}, {:.1f}/s", human_counted(answer.prompt_tokens, "token"),
      answer.kept_tokens > 0 ? fmt::format(", {} known", answer.kept_tokens) : "",
      computed / answer.prompt_seconds, human_counted(std::ssize(answer.tokens), "token"),
      static_cast<double>(answer.tokens.size()) / answer.generate_seconds);
}

}  // namespace zp::cli
