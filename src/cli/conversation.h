// A conversation on the terminal or through pipes: a message a line in, answers out.
#pragma once

#include <ctime>
#include <string>

#include "cli/command.h"
#include "pipeline/generate.h"

namespace zp::cli {

/// Reads messages from standard input until it ends.
int converse(const GenerateRequest& request, const Common& common);

/// Seconds since 1970 of the clock on the wall here, for chat templates.
std::time_t local_time();
/// Prints an answer as it comes; nothing with --json.
Say printer(const Common& common);
Json to_json(const Generation& answer, double load_seconds);
std::string speeds(const Generation& answer);

}  // namespace zp::cli
