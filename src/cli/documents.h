// What FILE means where a text is asked for: a path, or - for standard input.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp::cli {

/// All of it.
std::string standard_input();

/// Throws Error as read_dataset does.
std::vector<Document> read_documents(const std::string& file);

/// On standard error, unless --quiet, and every line once: what of the documents no token tells of.
/// `where` names the tokenizer. Throws Error as unread_notes does.
void say_unread(std::span<const Document> documents, const Tokenizer& tokenizer,
                const std::string& where, const Common& common);
void say_unread(std::span<const Document> documents, const LoadedModel& loaded,
                const Common& common);

/// What a model is calibrated on, of all the files together; says what is not read. Throws Error as
/// calibration_windows does; `where` names the model.
std::vector<std::vector<std::int32_t>> read_windows(const std::vector<std::string>& files,
                                                    const LoadedModel& loaded,
                                                    const std::string& where, std::int64_t tokens,
                                                    std::int64_t context, const Common& common);

/// For --help.
constexpr const char* kDocumentForms =
    "plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"conversations\"}, {\"user\", "
    "\"assistant\"} or {\"instruction\", \"input\", \"output\"}; - is standard input. "
    "Conversations "
    "go through the chat template";

}  // namespace zp::cli
