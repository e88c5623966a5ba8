// Texts to calibrate, judge and train with: plain text, JSON (one object or an array of objects) or
// JSONL, told apart by what is in the file. An object is one of
//
//   {"text": T}
//   {"messages": [{"role": R, "content": C}, ...]}
//   {"user": U, "assistant": A}                     and perhaps "system"
//   {"instruction": I, "output": O}                 and perhaps "input", which follows I
//
// and other fields are passed over. JSON is what begins with "{" and a key or an end, or with "["
// and an object or an end; all else is plain text, and one document.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_message.h"

namespace zp {

/// Either a text or, when there are messages, a chat.
struct Document {
  std::string text;
  std::vector<ChatMessage> messages;
};

/// Never empty. Throws Error at `where`, with the line, for broken UTF-8 and JSON, for objects of
/// other shapes, and when there is nothing.
std::vector<Document> parse_dataset(std::string_view file, const std::string& where);
std::vector<Document> read_dataset(const std::filesystem::path& path);

}  // namespace zp
