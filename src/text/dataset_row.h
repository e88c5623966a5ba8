// One row of a data set. A string is a text, a list is one of messages, and an object one of
//
//   {"text": T}
//   {"messages": [{"role": R, "content": C}, ...]}
//   {"conversations": [{"from": R, "value": C}, ...]}     ShareGPT's; or messages
//   {"user": U, "assistant": A}                           perhaps "history"
//   {"instruction": I, "output": O}                       Alpaca's; perhaps "input", which follows
//   I,
//                                                         and "history"
//
// Beside all but the first may stand "system", and what chat templates take: "tools", "documents"
// and "chat_template_kwargs", further variables by name. "history" is pairs of what user and
// assistant said before. Messages have whatever fields they have; their content is a text, or a
// list of {"type": "text", "text": T}, or missing where the message has something else. ShareGPT's
// "function_call" becomes "tool_calls". Tools may be a text that is JSON, since tables of rows keep
// them so.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace zp {

struct Chat;

/// Either a text or a chat.
struct Document {
  std::string text = {};
  std::shared_ptr<const Chat> chat = {};      ///< null: it is a text
  std::vector<std::string> passed_over = {};  ///< fields that hold something and mean nothing here

  bool is_chat() const { return chat != nullptr; }
};

/// Throws Error at `where` for other shapes.
Document parse_row(const Json& row, const std::string& where);

}  // namespace zp
