#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "text/chat.h"
#include "text/test_folder.h"

namespace zp {
namespace {

const Json kMessages = {{{"role", "user"}, {"content", " Hi "}},
                        {{"role", "assistant"}, {"content", "Yes"}}};

std::string render(std::string_view source, Json variables = Json::object(),
                   Json messages = kMessages) {
  ChatOptions options;
  options.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  options.now = 1'700'000'000;  // 2023-11-14 22:13:20 UTC
  return ChatTemplate(source, "t").render({std::move(messages), std::move(variables)}, options);
}

TEST(ChatTemplate, RendersAConversation) {
  const ChatTemplate chat(
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}{{ eos_token }}"
      "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
      "t");
  const Chat turns = {{{{"role", "user"}, {"content", " Hi "}},
                       {{"role", "assistant"}, {"content", "\xE0\xA6\x86"}}}};
  ChatOptions options;
  options.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  EXPECT_EQ(chat.render(turns, options), "<s><user>Hi</s><assistant>\xE0\xA6\x86</s>");
  options.add_generation_prompt = true;
  EXPECT_EQ(chat.render(turns, options), "<s><user>Hi</s><assistant>\xE0\xA6\x86</s><assistant>");
  EXPECT_EQ(chat.render({}, options), "<s><assistant>");
}

TEST(ChatTemplate, GivesFurtherVariables) {
  EXPECT_EQ(
      render("{{ tools[0].n + 1 }}{{ thinking }}", {{"tools", {{{"n", 1}}}}, {"thinking", false}}),
      "2False");
}

TEST(ChatTemplate, HasNoToolsAndNoDocumentsRatherThanNothingOfTheName) {
  const char* source =
      "{{ tools is defined }} {{ tools is none }} {{ documents is none }} {{ pad_token is defined "
      "}}";
  EXPECT_EQ(render(source), "True True True False");
  EXPECT_EQ(render(source, {{"tools", {{{"n", 1}}}}, {"documents", nullptr}}),
            "True False True False");
}

TEST(ChatTemplate, SeesAllThatMessagesHave) {
  const Json messages = Json::array(
      {{{"role", "assistant"},
        {"content", nullptr},
        {"tool_calls", {{{"function", {{"name", "f"}, {"arguments", {{"b", 1}, {"a", 2}}}}}}}}},
       {{"role", "tool"}, {"name", "f"}, {"content", "20"}}});
  EXPECT_EQ(render("{{ messages[0].tool_calls[0].function | tojson }}{{ messages[1].name }}"
                   "{{ messages[0].content is defined }}",
                   Json::object(), messages),
            "{\"name\": \"f\", \"arguments\": {\"b\": 1, \"a\": 2}}fFalse");
}

TEST(ChatTemplate, KnowsThoughtsByEveryName) {
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const Json messages =
        Json::array({{{"role", "assistant"}, {"content", "A"}, {name, "T"}, {"x", nullptr}}});
    EXPECT_EQ(render("{{ messages[0].reasoning_content ~ messages[0].thinking }}", Json::object(),
                     messages),
              "TT")
        << name;
  }
}

}  // namespace
}  // namespace zp
