#include "leveldb/read_threads.hpp"

#include <atomic>
#include <grp.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace concerto::persist {
namespace {

constexpr std::size_t threads = 4;

TEST(ReadThreads, RunWhatWasPostedBeforeTheyEnd) {
  std::atomic<int> run = 0;
  ReadThreads workers(threads);
  ASSERT_TRUE(workers.start());
  for (int i = 0; i < 100; ++i) boost::asio::post(workers.executor(), [&run] { ++run; });
  workers.join();
  EXPECT_EQ(run, 100);
}

/// Runs in a process of its own, as a user without other processes. Returns 0 if the start is
/// refused and the threads that were started end.
int start_with_room_for_half() {
  constexpr unsigned patience_s = 30;
  constexpr uid_t nobody_else = 61'237;
  ::alarm(patience_s);
  if (::setgroups(0, nullptr) != 0 || ::setresuid(nobody_else, nobody_else, nobody_else) != 0) {
    return 2;
  }
  const rlimit few{1 + threads / 2, 1 + threads / 2};
  if (::setrlimit(RLIMIT_NPROC, &few) != 0) return 2;
  ReadThreads workers(threads);
  const Result<> started = workers.start();
  workers.join();
  const bool refused = !started && started.error().code == Errc::overloaded;
  return refused ? 0 : 1;
}

TEST(ReadThreads, ArePartlyStartedAndEndAllTheSame) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become a user without processes";
  EXPECT_EXIT(::_exit(start_with_room_for_half()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace concerto::persist
