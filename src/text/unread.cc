// What of a file reaches no token. Whether a template reads a field is found by leaving it out: the
// same text then, or not. A field is looked at until some conversation's text depends on it.
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "text/chat.h"
#include "text/chat_templates.h"
#include "text/documents.h"

namespace zp {
namespace {

constexpr std::time_t kAnotherDate = kDateOfTexts + 86'400 * 97 + 43'261;

bool holds_something(const Json& value) { return !value.empty() && value != ""; }

struct Field {
  bool of_messages = false;
  std::string name;
  auto operator<=>(const Field&) const = default;
};

class Reader {
 public:
  Reader(const Tokenizer& tokenizer, const std::string& where) : templates_(tokenizer, where) {}

  void look_at(const Chat& chat) {
    std::optional<std::string> whole;
    const auto text = [&]() -> const std::string& {
      if (!whole) whole = templates_.render(chat);
      return *whole;
    };
    if (templates_.may_tell_date() && !tells_date_)
      tells_date_ = templates_.render(chat, false, kAnotherDate) != text();
    for (const Field& field : fields_of(chat)) {
      Count& count = counts_[field];
      ++count.conversations;
      if (!count.read) count.read = text_without(chat, field) != text();
    }
  }

  void add_notes(std::vector<std::string>& notes) const {
    for (const auto& [field, count] : counts_) {
      if (count.read) continue;
      notes.push_back("field \"" + printable(field.name, 40) + "\" of " +
                      (field.of_messages ? "messages in " : "") +
                      std::to_string(count.conversations) +
                      (count.conversations == 1 ? " conversation" : " conversations") +
                      " is not read by the chat template");
    }
    if (tells_date_) {
      notes.emplace_back(
          "chat template tells the date: always 26 July 2024 in texts, so that they stay the same");
    }
  }

 private:
  struct Count {
    std::int64_t conversations = 0;
    bool read = false;
  };

  // What a conversation has beside what every template reads.
  static std::set<Field> fields_of(const Chat& chat) {
    std::set<Field> fields;
    const auto add = [&](bool of_messages, const Json& object) {
      for (const auto& [name, value] : object.items())
        if (holds_something(value)) fields.insert({of_messages, name});
    };
    add(false, chat.variables);
    for (const Json& message : chat.messages) add(true, message);
    fields.erase({true, "role"});
    fields.erase({true, "content"});
    return fields;
  }

  // Nothing where the template refuses: then it has looked at the field.
  std::optional<std::string> text_without(const Chat& chat, const Field& field) {
    Chat less = chat;
    if (!field.of_messages) less.variables.erase(field.name);
    for (Json& message : less.messages)
      if (field.of_messages) message.erase(field.name);
    try {
      return templates_.render(less);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  ChatTemplates templates_;
  std::map<Field, Count> counts_;
  bool tells_date_ = false;
};

}  // namespace

std::vector<std::string> unread_notes(std::span<const Document> documents,
                                      const Tokenizer& tokenizer, const std::string& where) {
  std::vector<std::string> notes;
  std::map<std::string, std::int64_t> passed_over;
  std::optional<Reader> reader;
  for (const Document& document : documents) {
    for (const std::string& name : document.passed_over) ++passed_over[name];
    if (!document.is_chat()) continue;
    if (!reader) reader.emplace(tokenizer, where);
    reader->look_at(*document.chat);
  }
  for (const auto& [name, rows] : passed_over) {
    notes.push_back("field \"" + printable(name, 40) + "\" of " + std::to_string(rows) +
                    (rows == 1 ? " row" : " rows") + " is not read");
  }
  if (reader) reader->add_notes(notes);
  return notes;
}

}  // namespace zp
