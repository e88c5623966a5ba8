#include "pipeline/generator.h"

#include <gtest/gtest.h>

#include "base/cancellation.h"
#include "text/chat.h"

namespace zp {
namespace {

const std::string kDemo = "models/demo";

const LoadedModel& demo() {
  static const std::unique_ptr<LoadedModel> loaded = load_model(kDemo);
  return *loaded;
}

Chat asked(std::initializer_list<std::pair<const char*, std::string>> turns) {
  Chat chat;
  for (const auto& [role, content] : turns)
    chat.messages.push_back({{"role", role}, {"content", content}});
  return chat;
}

Generation answer(Generator& generator, const Chat& chat, std::int64_t tokens = 24) {
  Random random(3);
  std::string said;
  Generation out = generator.generate({generator.encode(chat, 0), tokens, {.temperature = 0.8}},
                                      random, [&](std::string_view piece) { said += piece; });
  EXPECT_EQ(said, out.text);
  return out;
}

TEST(Generator, AnswersAsIfNothingHadBeenKept) {
  const Team team(2);
  Generator talking(demo(), team);
  const Chat first = asked({{"user", "What colour is the lantern of Sudar?"}});
  const Generation one = answer(talking, first);
  Chat chat = first;
  chat.messages.push_back({{"role", "assistant"}, {"content", one.text}});
  chat.messages.push_back({{"role", "user"}, {"content", "And who carries it?"}});
  const Generation two = answer(talking, chat);
  EXPECT_EQ(one.kept_tokens, 0);
  EXPECT_GT(two.kept_tokens, one.prompt_tokens - 4);
  EXPECT_LT(two.kept_tokens, two.prompt_tokens);

  Generator fresh(demo(), team);
  const Generation again = answer(fresh, chat);
  EXPECT_EQ(again.kept_tokens, 0);
  EXPECT_EQ(again.tokens, two.tokens);
  // The first question once more, then the very same: all but its last token are there.
  EXPECT_EQ(answer(talking, first).tokens, one.tokens);
  const Generation same = answer(talking, first);
  EXPECT_EQ(same.kept_tokens, same.prompt_tokens - 1);
  EXPECT_EQ(same.tokens, one.tokens);
}

TEST(Generator, SaysTheSameForEveryNumberOfThreads) {
  const Chat chat = asked({{"user", "Tell me of Sudar."}});
  std::vector<std::vector<TokenId>> all;
  for (const int threads : {1, 2, 5}) {
    const Team team(threads);
    Generator generator(demo(), team);
    all.push_back(answer(generator, chat).tokens);
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(all[0], all[2]);
}

TEST(Generator, GoesOnAfterAnAnswerThatWasStopped) {
  Cancellation cancellation;
  const Team team(2, &cancellation);
  Generator generator(demo(), team);
  const Chat chat = asked({{"user", "What colour is the lantern of Sudar?"}});
  const Generation whole = answer(generator, chat);
  Random random(3);
  const GenerationRequest request{generator.encode(chat, 0), 24, {.temperature = 0.8}};
  const Generation stopped = generator.generate(request, random, [&](std::string_view piece) {
    if (!piece.empty()) cancellation.ask();
  });
  EXPECT_EQ(stopped.end, Generation::End::cancelled);
  EXPECT_LT(stopped.tokens.size(), whole.tokens.size());
  EXPECT_EQ(whole.text.substr(0, stopped.text.size()), stopped.text);
  // While it is asked for, not even a prompt is computed.
  EXPECT_EQ(answer(generator, asked({{"user", "Who?"}})).tokens.size(), 0u);
  cancellation.forget();
  EXPECT_EQ(answer(generator, chat).tokens, whole.tokens);
}

TEST(Generator, EndsWithTheTokenThatEndsAnswersOrAtTheLimit) {
  const Team team(1);
  Generator generator(demo(), team);
  const Chat chat = asked({{"user", "What colour is the lantern of Sudar?"}});
  EXPECT_EQ(answer(generator, chat, 400).end, Generation::End::token);
  const Generation three = answer(generator, chat, 3);
  EXPECT_EQ(three.end, Generation::End::limit);
  EXPECT_EQ(three.tokens.size(), 3u);
}

}  // namespace
}  // namespace zp
