#include "text/dataset_row.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/json_fields.h"
#include "text/chat.h"

namespace zp {
namespace {

constexpr std::string_view kShapes =
    "\"text\", \"messages\", \"conversations\", \"user\" and \"assistant\", or \"instruction\" and "
    "\"output\"";

// Fields by name, and which of them were asked for.
class Row {
 public:
  Row(const Json& row, const std::string& where) : row_(row), fields_(row, where) {}

  const std::string& where() const { return fields_.where(); }
  bool has(std::string_view key) const { return fields_.has(key); }
  const Json& take(std::string_view key) {
    taken_.emplace_back(key);
    return fields_.at(key);
  }
  std::string text(std::string_view key) {
    taken_.emplace_back(key);
    return fields_.text(key);
  }

  /// What holds something and was not asked for.
  std::vector<std::string> passed_over() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : row_.items()) {
      const bool holds = !value.empty() && value != "";
      if (holds && std::ranges::find(taken_, key) == taken_.end()) names.push_back(key);
    }
    return names;
  }

 private:
  const Json& row_;
  JsonFields fields_;
  std::vector<std::string_view> taken_;
};

Json message(std::string_view role, std::string content) {
  return {{"role", role}, {"content", std::move(content)}};
}

// What tables of rows keep as a text.
Json unfolded(const Json& value, const std::string& where) {
  return value.is_string() ? parse_json(value.get<std::string>(), where) : value;
}

void check_content(const Json& content, const std::string& where) {
  if (content.is_string()) return;
  if (!content.is_array()) {
    throw Error(where, "wrong type", "a string, or a list of {\"type\": \"text\", \"text\"}",
                content.dump_ascii());
  }
  for (const Json& part : content) {
    const JsonFields fields(part, where);
    const std::string type = fields.text("type");
    if (type != "text") throw Error(where, "only text can be read", "\"text\"", type);
    fields.text("text");
  }
}

Json checked_message(const Json& given, const std::string& where) {
  const JsonFields fields(given, where);
  fields.text("role");
  const bool other = std::ranges::any_of(given.items(), [](const auto& field) {
    return field.first != "role" && field.first != "content" && !field.second.empty();
  });
  if (fields.has("content") || !other) check_content(fields.at("content"), where + ": \"content\"");
  return given;
}

struct Speaker {
  std::string_view name;
  std::string_view role;
};
constexpr auto kSpeakers = std::to_array<Speaker>({{"human", "user"},
                                                   {"user", "user"},
                                                   {"gpt", "assistant"},
                                                   {"assistant", "assistant"},
                                                   {"chatgpt", "assistant"},
                                                   {"model", "assistant"},
                                                   {"function_call", "assistant"},
                                                   {"system", "system"},
                                                   {"tool", "tool"},
                                                   {"observation", "tool"},
                                                   {"function_response", "tool"}});

std::string speaker_names() {
  std::string names;
  for (const Speaker& speaker : kSpeakers)
    names += (names.empty() ? "" : ", ") + std::string(speaker.name);
  return names;
}

// One {"name", "arguments"} or a list of them.
Json tool_calls(const std::string& value, const std::string& where) {
  Json calls = parse_json(value, where);
  if (!calls.is_array()) calls = Json::array({std::move(calls)});
  Json all = Json::array();
  for (Json& call : calls) {
    JsonFields(call, where).text("name");
    all.push_back({{"type", "function"}, {"function", std::move(call)}});
  }
  return all;
}

Json shared_message(const Json& given, const std::string& where) {
  if (given.is_object() && given.contains("role")) return checked_message(given, where);
  const JsonFields fields(given, where);
  const std::string from = fields.text("from");
  std::string value = fields.text("value");
  const auto* const speaker = std::ranges::find(kSpeakers, from, &Speaker::name);
  if (speaker == kSpeakers.end())
    throw Error(where + ": \"from\"", "unknown speaker", speaker_names(), from);
  Json out = message(speaker->role, std::move(value));
  if (from == "function_call") {
    out["tool_calls"] = tool_calls(fields.text("value"), where + ": \"value\"");
    out["content"] = "";
  }
  for (const auto& [key, other] : given.items()) {
    if (key != "from" && key != "value") out[key] = other;
  }
  return out;
}

void add_messages(Row& row, const char* key, Json (*read)(const Json&, const std::string&),
                  Json& messages) {
  const Json& list = row.take(key);
  if (!list.is_array() || list.empty()) {
    throw Error(row.where() + ": \"" + key + "\"", "no list of messages",
                "[{\"role\", \"content\"}, ...]", list.dump_ascii());
  }
  std::int64_t number = 0;
  for (const Json& given : list)
    messages.push_back(read(given, row.where() + ": message " + std::to_string(++number)));
}

void add_history(Row& row, Json& messages) {
  if (!row.has("history")) return;
  const std::string where = row.where() + ": \"history\"";
  const auto refuse = [&](const Json& found) {
    throw Error(where, "wrong type", "a list of [user, assistant]", found.dump_ascii());
  };
  const Json& history = row.take("history");
  if (!history.is_array()) refuse(history);
  for (const Json& pair : history) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      refuse(pair);
    messages.push_back(message("user", pair[0].get<std::string>()));
    messages.push_back(message("assistant", pair[1].get<std::string>()));
  }
}

void add_turn(Row& row, std::string question, const char* answer, Json& messages) {
  add_history(row, messages);
  messages.push_back(message("user", std::move(question)));
  messages.push_back(message("assistant", row.text(answer)));
}

std::string instruction_of(Row& row) {
  std::string instruction = row.text("instruction");
  const std::string input = row.has("input") ? row.text("input") : "";
  return input.empty() ? instruction : instruction + "\n\n" + input;
}

// Whether the row is a conversation.
bool add_conversation(Row& row, Json& messages) {
  if (row.has("messages")) return add_messages(row, "messages", checked_message, messages), true;
  if (row.has("conversations"))
    return add_messages(row, "conversations", shared_message, messages), true;
  if (row.has("user") && row.has("assistant"))
    return add_turn(row, row.text("user"), "assistant", messages), true;
  if (row.has("instruction") && row.has("output"))
    return add_turn(row, instruction_of(row), "output", messages), true;
  return false;
}

Json variables_of(Row& row) {
  Json variables = Json::object();
  if (row.has("chat_template_kwargs")) {
    const std::string where = row.where() + ": \"chat_template_kwargs\"";
    variables = unfolded(row.take("chat_template_kwargs"), where);
    const JsonFields must_be_object(variables, where);
  }
  for (const char* name : {"tools", "documents"}) {
    if (!row.has(name)) continue;
    const std::string where = row.where() + ": \"" + name + "\"";
    Json value = unfolded(row.take(name), where);
    if (!value.is_array())
      throw Error(where, "wrong type", "a list of objects", value.dump_ascii());
    for (const Json& element : value) const JsonFields must_be_object(element, where);
    variables[name] = std::move(value);
  }
  return variables;
}

}  // namespace

Document parse_row(const Json& json, const std::string& where) {
  if (json.is_string()) return {.text = json.get<std::string>()};
  if (json.is_array() && !json.empty()) return parse_row({{"messages", json}}, where);
  Row row(json, where);
  Document document;
  Chat chat;
  Json& messages = chat.messages;
  if (add_conversation(row, messages)) {
    chat.variables = variables_of(row);
    if (row.has("system") && messages[0]["role"] != "system") {
      const std::string system = row.text("system");
      if (!system.empty()) messages.push_front(message("system", system));
    }
    document.chat = std::make_shared<const Chat>(std::move(chat));
  } else if (row.has("text")) {
    document.text = row.text("text");
  } else {
    std::string keys;
    for (const auto& [key, value] : json.items()) keys += (keys.empty() ? "" : ", ") + key;
    throw Error(where, "unknown shape", std::string(kShapes), keys.empty() ? "no fields" : keys);
  }
  document.passed_over = row.passed_over();
  return document;
}

}  // namespace zp
