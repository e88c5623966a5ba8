// What FILE means where a text is asked for: a path, or - for standard input.
#pragma once

#include <string>
#include <vector>

#include "pipeline/load.h"
#include "text/dataset.h"

namespace zp::cli {

/// Throws Error as read_dataset does.
std::vector<Document> read_documents(const std::string& file);

/// What a model is calibrated on, of all the files together. Throws Error as calibration_windows
/// does; `where` names the model.
std::vector<std::vector<std::int32_t>> read_windows(const std::vector<std::string>& files,
                                                    const LoadedModel& loaded,
                                                    const std::string& where, std::int64_t tokens,
                                                    std::int64_t context);

/// For --help.
constexpr const char* kDocumentForms =
    "plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"user\", \"assistant\"} or "
    "{\"instruction\", \"input\", \"output\"}; - is standard input. Conversations go through the "
    "chat template";

}  // namespace zp::cli
