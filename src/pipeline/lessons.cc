#include "pipeline/lessons.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "calibrate/windows.h"
#include "text/chat.h"

namespace zp {
namespace {

using Group = std::vector<Lesson>;  // held out together

class Maker {
 public:
  Maker(const Tokenizer& tokenizer, const std::string& where, std::int64_t most)
      : encoder_(tokenizer, where), templates_(tokenizer, where), most_(most) {}

  void add(const Document& document) {
    ++number_;
    if (document.is_chat()) {
      groups.push_back(answers_of(*document.chat));
    } else {
      add_pieces(encoder_.encode(document.text, true));
    }
  }

  std::vector<Group> groups;
  Lessons counts;
  std::int64_t shortest_left_out = 0;

 private:
  Group answers_of(const Chat& chat) {
    Group all;
    Chat before;
    before.variables = chat.variables;
    for (const Json& message : chat.messages) {
      const bool is_answer = message.value("role", "") == "assistant" && !before.messages.empty();
      const std::vector<TokenId> read =
          is_answer ? encoder_.encode(templates_.render(before, true), false)
                    : std::vector<TokenId>();
      before.messages.push_back(message);
      if (is_answer) add_answer(read, all, before);
    }
    return all;
  }

  // What the template has of the answer may differ from its beginning on: an empty thought, say.
  void add_answer(const std::vector<TokenId>& read, Group& all, const Chat& chat) {
    Lesson lesson;
    lesson.ids = encoder_.encode(templates_.render(chat), false);
    lesson.document = number_;
    lesson.said = std::ranges::mismatch(read, lesson.ids).in2 - lesson.ids.begin();
    if (lesson.said < 1 || lesson.tokens_said() < 1) return;
    ++counts.answers;
    const std::int64_t tokens = std::ssize(lesson.ids);
    if (tokens <= most_) return all.push_back(std::move(lesson));
    ++counts.too_long;
    shortest_left_out = shortest_left_out == 0 ? tokens : std::min(shortest_left_out, tokens);
  }

  void add_pieces(const std::vector<TokenId>& ids) {
    for (std::int64_t begin = 0; begin < std::ssize(ids); begin += most_) {
      const std::int64_t end = std::min(begin + most_, std::ssize(ids));
      if (end - begin < 2) continue;
      Lesson lesson;
      lesson.ids.assign(ids.begin() + begin, ids.begin() + end);
      lesson.document = number_;
      groups.push_back({std::move(lesson)});
    }
  }

  Encoder encoder_;
  ChatTemplates templates_;
  std::int64_t most_;
  std::int64_t number_ = 0;  // of the document
};

std::vector<Lesson> joined(std::vector<Group> groups) {
  std::vector<Lesson> all;
  for (Group& group : groups) std::ranges::move(group, std::back_inserter(all));
  return all;
}

}  // namespace

std::int64_t Lessons::longest() const {
  std::int64_t most = 0;
  for (const auto* lessons : {&learned, &held_out}) {
    for (const Lesson& lesson : *lessons) most = std::max(most, std::ssize(lesson.ids));
  }
  return most;
}

Lessons make_lessons(std::span<const Document> documents, const Tokenizer& tokenizer,
                     const std::string& tokenizer_at, const std::string& data, std::int64_t most) {
  Maker maker(tokenizer, tokenizer_at, most);
  for (const Document& document : documents) maker.add(document);
  std::erase_if(maker.groups, [](const Group& group) { return group.empty(); });
  if (maker.groups.empty() && maker.counts.too_long > 0) {
    throw Error(data, "every answer is too long, with what is read before it",
                "at most " + std::to_string(most) + " tokens (`max-tokens`, the model's context)",
                std::to_string(maker.shortest_left_out) + " or more");
  }
  if (maker.groups.empty())
    throw Error(data, "nothing to learn", "answers of an assistant, or texts of two tokens");
  Lessons out = std::move(maker.counts);
  out.held_out = joined(hold_out(maker.groups));
  out.learned = joined(std::move(maker.groups));
  return out;
}

}  // namespace zp
