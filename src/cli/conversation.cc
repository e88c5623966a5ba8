#include "cli/conversation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <optional>

#include "base/human.h"
#include "cli/interrupt.h"
#include "pipeline/text_files.h"
#include "text/chat.h"
#include "text/utf8.h"

namespace zp::cli {
namespace {

class Conversation {
 public:
  Conversation(const ConversationOptions& options, const LoadedModel& loaded, Generator& generator,
               const Common& common)
      : options_(options),
        loaded_(loaded),
        generator_(generator),
        common_(common),
        chat_(conversation_start(options.system)),
        random_(options.seed) {}

  void clear() { chat_ = conversation_start(options_.system); }

  Generation answer(const std::string& message) {
    chat_.messages.push_back({{"role", "user"}, {"content", message}});
    const GenerationRequest request{.prompt = generator_.encode(chat_, local_time()),
                                    .tokens = options_.tokens,
                                    .sampling = options_.sampling};
    if (!warned_) {
      const std::int64_t tokens = std::ssize(request.prompt) + options_.tokens;
      say_beyond_context(loaded_.model.decoder, tokens, "conversation", *make_progress(common_));
      warned_ = tokens > loaded_.model.decoder.context;
    }
    Generation out = generator_.generate(request, random_, printer(common_));
    chat_.messages.push_back({{"role", "assistant"}, {"content", out.text}});
    return out;
  }

 private:
  const ConversationOptions& options_;
  const LoadedModel& loaded_;
  Generator& generator_;
  const Common& common_;
  Chat chat_;
  Random random_;
  bool warned_ = false;
};

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

void say_end(const Generation& answer, const ConversationOptions& options, const Common& common) {
  if (common.json) return;
  fmt::print("\n");
  std::fflush(stdout);
  if (common.quiet) return;
  if (answer.end == Generation::End::limit)
    fmt::print(stderr, "stopped after {}; --tokens allows more\n",
               human_counted(options.tokens, "token"));
  if (common.verbose && answer.end != Generation::End::cancelled)
    fmt::print(stderr, "{}\n", speeds(answer));
}

}  // namespace

int converse(const ConversationOptions& options, const LoadedModel& loaded, Generator& generator,
             double load_seconds, const Common& common) {
  const WhenInterrupted words("the conversation is over");
  const bool people = ::isatty(STDIN_FILENO) == 1;
  if (people && !common.quiet)
    fmt::print(stderr, "Ctrl-C stops an answer, /clear begins anew, /exit or Ctrl-D ends\n");
  Conversation conversation(options, loaded, generator, common);
  Json turns = Json::array();
  while (const std::optional<std::string> message = read_message(people)) {
    if (message == "/exit") break;
    if (message == "/clear") conversation.clear();
    if (message == "/clear" || message->empty()) continue;
    const Generation answer = conversation.answer(*message);
    if (answer.end == Generation::End::cancelled) forget_interrupt();
    say_end(answer, options, common);
    turns.push_back(to_json(answer, load_seconds));
  }
  if (common.json) print_json({{"turns", turns}});
  return 0;
}

Chat conversation_start(const std::string& system) {
  Chat chat;
  if (!system.empty()) chat.messages.push_back({{"role", "system"}, {"content", system}});
  return chat;
}

std::time_t local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm here{};
  localtime_r(&now, &here);
  return now + here.tm_gmtoff;
}

std::function<void(std::string_view)> printer(const Common& common) {
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
