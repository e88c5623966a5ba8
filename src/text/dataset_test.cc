#include "text/dataset.h"

#include "text/chat.h"
#include "text/test_folder.h"

namespace zp {
namespace {

std::string error_in(std::string_view file) {
  return error_of([&] { parse_dataset(file, "f"); });
}

TEST(Dataset, PlainTextIsOneDocumentAsItIs) {
  for (const char* text :
       {"Hello\n\nworld\n", "[Chorus]\nLa", "{% set x %}", "\"quoted\"", " x "}) {
    const auto documents = parse_dataset(text, "f");
    ASSERT_EQ(documents.size(), 1u) << text;
    EXPECT_EQ(documents[0].text, text);
    EXPECT_FALSE(documents[0].is_chat());
  }
}

TEST(Dataset, ReadsEveryShapeFromLines) {
  const auto d = parse_dataset(
      "{\"text\":\"T\"}\n"
      "\n"
      "{\"user\":\"U\",\"assistant\":\"A\",\"id\":7}\r\n"
      "{\"system\":\"S\",\"user\":\"U\",\"assistant\":\"A\"}\n"
      "{\"instruction\":\"I\",\"input\":\"N\",\"output\":\"O\"}\n"
      "{\"instruction\":\"I\",\"input\":\"\",\"output\":\"O\"}\n"
      "{\"instruction\":\"I\",\"output\":\"O\"}\n"
      "{\"messages\":[{\"role\":\"tool\",\"content\":\"C\",\"x\":1}]}",
      "f");
  ASSERT_EQ(d.size(), 7u);
  EXPECT_EQ(d[0].text, "T");
  const auto of = [&](std::size_t row, std::size_t message) {
    return d[row].chat->messages[message];
  };
  ASSERT_EQ(d[1].chat->messages.size(), 2u);
  EXPECT_EQ(of(1, 0)["role"], "user");
  EXPECT_EQ(of(1, 1)["content"], "A");
  ASSERT_EQ(d[2].chat->messages.size(), 3u);
  EXPECT_EQ(of(2, 0)["role"], "system");
  EXPECT_EQ(of(3, 0)["content"], "I\n\nN");
  EXPECT_EQ(of(4, 0)["content"], "I");
  EXPECT_EQ(of(5, 1)["content"], "O");
  EXPECT_EQ(of(6, 0)["role"], "tool");
  EXPECT_EQ(of(6, 0)["x"], 1);
  EXPECT_EQ(d[1].passed_over, std::vector<std::string>{"id"});
}

TEST(Dataset, ReadsOneObjectAndArraysOverManyLines) {
  EXPECT_EQ(parse_dataset("{\n  \"text\": \"T\"\n}\n", "f")[0].text, "T");
  EXPECT_EQ(parse_dataset("\xEF\xBB\xBF{\"text\":\"T\"}", "f")[0].text, "T");
  EXPECT_EQ(parse_dataset("[\n{\"text\":\"A\"},\n{\"text\":\"B\"}]", "f")[1].text, "B");
  EXPECT_EQ(parse_dataset("{\"messages\":[{\"role\":\"user\",\"content\":\"}\"}\n]}", "f").size(),
            1u);
}

TEST(Dataset, StringsInAnArrayAreTexts) {
  const auto d = parse_dataset("[\"A\",\n\"B\", {\"text\": \"C\"}]", "f");
  ASSERT_EQ(d.size(), 3u);
  EXPECT_EQ(d[1].text, "B");
  EXPECT_EQ(d[2].text, "C");
  EXPECT_NE(error_in("[\"A\", 1]").find("f: element 2: no JSON object"), std::string::npos);
}

TEST(Dataset, ListsOfMessagesAreConversations) {
  const std::string one = R"([{"role":"user","content":"U"},{"role":"assistant","content":"A"}])";
  EXPECT_EQ(parse_dataset(one, "f").size(), 1u);
  EXPECT_EQ(parse_dataset("[{\"messages\":" + one + "}," + one + "]", "f").size(), 2u);
  const auto lines = parse_dataset(one + "\n" + one + "\n", "f");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].chat->messages[1]["content"], "A");
}

TEST(Dataset, InstructionsHaveSystemAndHistory) {
  const auto d = parse_dataset(
      R"({"instruction":"I","input":"","output":"O","system":"S","history":[["U","A"]],"id":0})",
      "f");
  std::string all;
  for (const Json& m : d[0].chat->messages)
    all += m["role"].get<std::string>() + "=" + m["content"].get<std::string>() + " ";
  EXPECT_EQ(all, "system=S user=U assistant=A user=I assistant=O ");
  EXPECT_EQ(d[0].passed_over, std::vector<std::string>{"id"});
  EXPECT_NE(error_in(R"({"instruction":"I","output":"O","history":[["U"]]})")
                .find("\"history\": wrong type: expected a list of [user, assistant]"),
            std::string::npos);
}

TEST(Dataset, ReadsSharedConversations) {
  const auto d = parse_dataset(
      R"({"conversations":[{"from":"human","value":"U"},)"
      R"({"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{\"a\":1}}"},)"
      R"({"from":"observation","value":"20"},{"from":"gpt","value":"A","weight":1}],)"
      R"("system":"S","tools":"[{\"name\":\"f\"}]"})",
      "f");
  const Json& m = d[0].chat->messages;
  ASSERT_EQ(m.size(), 5u);
  EXPECT_EQ(m[0]["content"], "S");
  EXPECT_EQ(m[1]["role"], "user");
  EXPECT_EQ(m[2]["tool_calls"][0]["function"]["arguments"]["a"], 1);
  EXPECT_EQ(m[3]["role"], "tool");
  EXPECT_EQ(m[4], (Json{{"role", "assistant"}, {"content", "A"}, {"weight", 1}}));
  EXPECT_EQ(d[0].chat->variables["tools"][0]["name"], "f");
  EXPECT_TRUE(d[0].passed_over.empty());
  EXPECT_NE(error_in(R"({"conversations":[{"from":"dog","value":"W"}]})").find("unknown speaker"),
            std::string::npos);
  EXPECT_EQ(parse_dataset(R"({"conversations":[{"role":"user","content":"U"}]})", "f")[0]
                .chat->messages[0]["content"],
            "U");
}

TEST(Dataset, KeepsWhatMessagesAndTemplatesTake) {
  const auto d = parse_dataset(
      R"({"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":1}]},)"
      R"({"role":"user","content":[{"type":"text","text":"T"}]}],"system":"S",)"
      R"("tools":[{"n":1}],"documents":null,"chat_template_kwargs":{"enable_thinking":false},"id":""})",
      "f");
  EXPECT_EQ(d[0].chat->messages.size(), 3u);
  EXPECT_EQ(d[0].chat->messages[1]["tool_calls"][0]["id"], 1);
  EXPECT_EQ(d[0].chat->variables,
            (Json{{"enable_thinking", false}, {"tools", Json::array({{{"n", 1}}})}}));
  EXPECT_TRUE(d[0].passed_over.empty());
  for (const char* wrong :
       {R"({"messages":[{"role":"user","content":[{"type":"image","url":"u"}]}]})",
        R"({"messages":[{"role":"user","content":7}]})",
        R"({"messages":[{"role":"user","x":null}]})",
        R"({"messages":[{"role":"user","content":"U"}],"tools":{}})",
        R"({"messages":[{"role":"user","content":"U"}],"tools":[1]})",
        R"({"messages":[{"role":"user","content":"U"}],"chat_template_kwargs":[]})"}) {
    EXPECT_NE(error_in(wrong), "") << wrong;
  }
}

TEST(Dataset, SaysTheSystemTextThatAMessageStandsInFor) {
  const auto d =
      parse_dataset(R"({"messages":[{"role":"system","content":"A"}],"system":"B"})", "f");
  EXPECT_EQ(d[0].chat->messages.size(), 1u);
  EXPECT_EQ(d[0].passed_over, std::vector<std::string>{"system"});
}

TEST(Dataset, SaysTheLineOfWhatIsBroken) {
  EXPECT_EQ(error_in("a\nb\xC3("), "f: line 2: broken UTF-8 at byte 4");
  EXPECT_EQ(error_in("{\"text\":\"A\"}\n\n{\"text\":}\n"),
            "f: line 3: no valid JSON at byte 9: found \"\"text\":}\"");
  EXPECT_EQ(error_in("[{\"text\":\"A\"},\n{\"text\":1 2}]").substr(0, 29),
            "f: line 2: no valid JSON at b");
  EXPECT_EQ(error_in("{\"text\":\"A\"").substr(0, 27), "f: line 1: no valid JSON at");
  EXPECT_NE(error_in("{\"text\":\"A\"}\n[]").find("f: line 2: no JSON object"), std::string::npos);
}

TEST(Dataset, RefusesOtherShapesAndNothing) {
  EXPECT_EQ(error_in("{\"prompt\":\"A\",\"n\":1}"),
            "f: unknown shape: expected \"text\", \"messages\", \"conversations\", \"user\" and "
            "\"assistant\", or \"instruction\" and \"output\", found prompt, n");
  EXPECT_NE(error_in("{}").find("found no fields"), std::string::npos);
  EXPECT_NE(error_in("[{\"text\":\"a\"},{\"text\":[]}]").find("f: element 2: \"text\": wrong type"),
            std::string::npos);
  EXPECT_NE(error_in("{\"messages\":[]}").find("no list of messages"), std::string::npos);
  EXPECT_NE(error_in("{\"messages\":[{\"role\":\"user\"}]}").find("message 1: field missing"),
            std::string::npos);
  for (const char* nothing : {"", " \n\t", "[]", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(error_in(nothing), "f: nothing in it: expected text") << nothing;
  }
}

}  // namespace
}  // namespace zp
