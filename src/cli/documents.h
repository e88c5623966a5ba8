// What FILE means where a text is asked for: a path, or - for standard input.
#pragma once

#include <string>
#include <vector>

#include "text/dataset.h"

namespace zp::cli {

/// Throws Error as read_dataset does.
std::vector<Document> read_documents(const std::string& file);

/// For --help.
constexpr const char* kDocumentForms =
    "plain text, JSON or JSONL with {\"text\"}, {\"messages\"}, {\"user\", \"assistant\"} or "
    "{\"instruction\", \"input\", \"output\"}; - is standard input. Conversations go through the "
    "chat template";

}  // namespace zp::cli
