#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace zp {
namespace {

class TeamOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, testing::Values(1, 2, 7));

TEST_P(TeamOf, RunsEveryPartOnce) {
  const Team team(GetParam());
  EXPECT_EQ(team.threads(), GetParam());
  std::vector<std::atomic<int>> runs(1000);
  team.run(1000, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
  for (const auto& count : runs) EXPECT_EQ(count, 1);
}

TEST_P(TeamOf, RunsNothingForNoParts) {
  const Team team(GetParam());
  team.run(0, [](std::int64_t) { FAIL(); });
}

TEST_P(TeamOf, RethrowsAndWorksOn) {
  const Team team(GetParam());
  std::atomic<int> inside = 0;
  try {
    team.run(100, [&](std::int64_t i) {
      ++inside;
      if (i == 50) {
        --inside;
        throw std::runtime_error("part 50");
      }
      --inside;
    });
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "part 50");
    EXPECT_EQ(inside, 0) << "a part was still running";
  }
  std::atomic<int> parts = 0;
  team.run(10, [&](std::int64_t) { ++parts; });
  EXPECT_EQ(parts, 10);
}

// Each part waits for all others, so fewer threads than asked for would not get through.
TEST_P(TeamOf, HasAsManyThreadsAsAskedFor) {
  const int threads = GetParam();
  const Team team(threads);
  std::atomic<int> arrived = 0;
  std::atomic<bool> all = true;
  team.run(threads, [&](std::int64_t) {
    ++arrived;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (arrived < threads && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (arrived < threads) all = false;
  });
  EXPECT_TRUE(all) << arrived << " threads";
}

TEST_P(TeamOf, RunsInsideOfARun) {
  const Team team(GetParam());
  std::atomic<int> parts = 0;
  team.run(10, [&](std::int64_t) { team.run(10, [&](std::int64_t) { ++parts; }); });
  EXPECT_EQ(parts, 100);
}

TEST_P(TeamOf, ServesSeveralThreads) {
  const Team team(GetParam());
  std::atomic<int> parts = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int k = 0; k < 200; ++k) team.run(5, [&](std::int64_t) { ++parts; });
      });
    }
  }
  EXPECT_EQ(parts, 4 * 200 * 5);
}

// What parts wrote is seen after the run, round by round.
TEST_P(TeamOf, HandsOverWhatPartsWrote) {
  const Team team(GetParam());
  std::vector<std::int64_t> values(64);
  for (std::int64_t round = 0; round < 2000; ++round) {
    team.run(64, [&](std::int64_t i) { values[static_cast<std::size_t>(i)] += i; });
  }
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(values[i], static_cast<std::int64_t>(2000 * i));
}

TEST(Team, NeverHasMoreThreadsAtWorkThanAskedFor) {
  const Team team(2);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  team.run(200, [&](std::int64_t) {
    const int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    --inside;
  });
  EXPECT_LE(most, 2);
}

TEST(Team, TakesTheMachinesCoresWhenNotTold) {
  EXPECT_GE(Team().threads(), 1);
  EXPECT_LE(Team().threads(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(Team, BeginsNoPartOnceItIsCancelled) {
  for (const int threads : {1, 3}) {
    Cancellation cancellation;
    const Team team(threads, &cancellation);
    std::atomic<int> begun = 0;
    const auto part = [&](std::int64_t i) {
      ++begun;
      if (i == 4) cancellation.ask();
      while (i > 4 && !cancellation.asked()) std::this_thread::yield();
    };
    EXPECT_THROW(team.run(1000, part), Cancelled);
    EXPECT_LE(begun, 5 + threads);
    cancellation.forget();
    team.run(3, [](std::int64_t) {});
  }
}

}  // namespace
}  // namespace zp
