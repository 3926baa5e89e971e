// A process that writes is killed. Everything that it reported as acknowledged must be there.

#include <cstdlib>
#include <signal.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <concerto/persist/leveldb_store.hpp>

#include "await_result.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace {

constexpr int rounds = 5;
constexpr int acknowledged_before_kill = 200;

/// The child: creates g<first>, g<first + 1>, ... and finishes every second one. It reports each by
/// a byte in the pipe once it is durable. Never returns.
[[noreturn]] void write_until_killed(const std::string& path, int first, int report) {
  StoreClock clock;
  LogLines log;
  auto options = small_options(path);
  options.segment_bytes = 40'000;
  options.checkpoint_bytes = 10'000;
  auto store = LevelDbStore::open(options, clock, log);
  if (!store) ::_exit(1);
  asio::io_context io{1};
  for (int i = first;; ++i) {
    const std::string gid = "g" + std::to_string(i);
    const Transaction saga = sample_saga(gid, i);
    if (!await_result(io, (*store)->commit(create(saga)))) ::_exit(2);
    if (i % 2 == 0) {
      auto end = update(gid, TransStatus::submitted, new_status(TransStatus::succeed, i));
      if (!await_result(io, (*store)->commit(std::move(end)))) ::_exit(3);
    }
    const char done = '.';
    if (::write(report, &done, 1) != 1) ::_exit(4);
  }
}

/// The number of bytes that the child has reported. Kills the child after some, and reads those
/// that were on their way.
int kill_after_some(pid_t child, int report) {
  int acknowledged = 0;
  for (char byte = 0; ::read(report, &byte, 1) == 1;) {
    if (++acknowledged == acknowledged_before_kill) ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
  return acknowledged;
}

TEST(StoreKill, KeepsWhatWasAcknowledgedBeforeKillMinusNine) {
  TempDir dir;
  const std::string path = dir.path() + "/store";
  int next = 0;
  for (int round = 0; round < rounds; ++round) {
    int report[2];
    ASSERT_EQ(::pipe(report), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(report[0]);
      write_until_killed(path, next, report[1]);
    }
    ::close(report[1]);
    next += kill_after_some(child, report[0]);
    ::close(report[0]);

    StoreClock clock;
    LogLines log;
    auto store = LevelDbStore::open(small_options(path), clock, log);
    ASSERT_TRUE(store) << store.error().detail;
    asio::io_context io{1};
    for (int i = 0; i < next; ++i) {
      const auto loaded = await_result(io, (*store)->load(Gid{"g" + std::to_string(i)})).value();
      ASSERT_TRUE(loaded) << "g" << i;
      EXPECT_EQ(loaded->status, i % 2 == 0 ? TransStatus::succeed : TransStatus::submitted);
    }
    // The one that was on its way may be there, too. The next child begins after it.
    if (await_result(io, (*store)->load(Gid{"g" + std::to_string(next)})).value()) {
      const std::string gid = "g" + std::to_string(next);
      auto end = update(gid, TransStatus::submitted, new_status(TransStatus::succeed, 1));
      if (next % 2 == 0) {
        ignore_error(await_result(io, (*store)->commit(std::move(end))), "it may have ended");
      }
      ++next;
    }
  }
}

}  // namespace
}  // namespace concerto::test
