// Words around texts: help, and what a model wrote to be calibrated on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "cli/arguments.h"
#include "pipeline/calibration_text.h"

namespace zp::cli {

/// What is known before the model writes, or what came of it: as a line, and as JSON.
std::string own_text(const OwnTextOutcome& own);
Json own_json(const OwnTextOutcome& own);

/// How the model finds the text, as a line, with what would help; empty: there is no text.
std::string reading_text(const TextReading& reading);

constexpr const char* kUsualTokens = "16384";
/// --tokens.
void add_tokens(const Command& sub, std::string& tokens, const std::string& help);
/// Nothing: auto. Throws UsageError.
std::optional<std::int64_t> parse_tokens(const std::string& tokens);

/// --save-text.
void add_save_text(const Command& sub, std::string& path);

/// For --help.
constexpr const char* kOwnForms =
    "own, or own:temperature=1,length=512,seed=0,weights=GRID, is text that the model writes "
    "itself; beside "
    "files it has an equal part of the tokens, or own:0.3 that";
constexpr const char* kDocumentForms =
    "plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"conversations\"}, {\"user\", "
    "\"assistant\"} or {\"instruction\", \"input\", \"output\"}; - is standard input. "
    "Conversations "
    "go through the chat template";

}  // namespace zp::cli
