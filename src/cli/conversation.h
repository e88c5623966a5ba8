// A conversation on the terminal or through pipes: a message a line in, answers out.
#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "pipeline/generator.h"

namespace zp::cli {

struct ConversationOptions {
  std::string system;       ///< the first message, or empty
  std::int64_t tokens = 0;  ///< of an answer
  Sampling sampling;
  std::uint64_t seed = 0;
};

/// Until /exit or the end of input. Ctrl-C stops an answer; between them it ends the program.
int converse(const ConversationOptions& options, const LoadedModel& loaded, Generator& generator,
             double load_seconds, const Common& common);

/// With the system's message, where there is one.
Chat conversation_start(const std::string& system);
/// Seconds since 1970 of the clock on the wall here, for chat templates.
std::time_t local_time();
/// Prints an answer as it comes; nothing with --json.
std::function<void(std::string_view)> printer(const Common& common);
Json to_json(const Generation& answer, double load_seconds);
std::string speeds(const Generation& answer);

}  // namespace zp::cli
