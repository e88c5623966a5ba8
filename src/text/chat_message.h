// One turn of a conversation.
#pragma once

#include <string>

namespace zp {

struct ChatMessage {
  std::string role;
  std::string content;
};

}  // namespace zp
