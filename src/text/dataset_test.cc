#include "text/dataset.h"

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
    EXPECT_TRUE(documents[0].messages.empty());
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
  ASSERT_EQ(d[1].messages.size(), 2u);
  EXPECT_EQ(d[1].messages[0].role, "user");
  EXPECT_EQ(d[1].messages[1].content, "A");
  ASSERT_EQ(d[2].messages.size(), 3u);
  EXPECT_EQ(d[2].messages[0].role, "system");
  EXPECT_EQ(d[3].messages[0].content, "I\n\nN");
  EXPECT_EQ(d[4].messages[0].content, "I");
  EXPECT_EQ(d[5].messages[1].content, "O");
  EXPECT_EQ(d[6].messages[0].role, "tool");
}

TEST(Dataset, ReadsOneObjectAndArraysOverManyLines) {
  EXPECT_EQ(parse_dataset("{\n  \"text\": \"T\"\n}\n", "f")[0].text, "T");
  EXPECT_EQ(parse_dataset("\xEF\xBB\xBF{\"text\":\"T\"}", "f")[0].text, "T");
  EXPECT_EQ(parse_dataset("[\n{\"text\":\"A\"},\n{\"text\":\"B\"}]", "f")[1].text, "B");
  EXPECT_EQ(parse_dataset("{\"messages\":[{\"role\":\"user\",\"content\":\"}\"}\n]}", "f").size(),
            1u);
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
            "f: unknown shape: expected \"text\", \"messages\", \"user\" and \"assistant\", or "
            "\"instruction\" and \"output\", found prompt, n");
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
