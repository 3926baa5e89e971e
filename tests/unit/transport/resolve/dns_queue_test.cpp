#include "resolve/dns_queue.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A queue without threads, at times that the test chooses.
class DnsQueueTest : public testing::Test {
 protected:
  DnsQueue::Ticket add(const std::string& host) {
    const auto ticket = queue_.add(host, [](const Result<HostAddressList>&) {});
    EXPECT_TRUE(ticket) << host;
    return ticket.value_or(0);
  }

  std::vector<std::string> take_all() {
    std::vector<std::string> taken;
    while (const auto host = queue_.take(now_)) taken.push_back(*host);
    return taken;
  }

  /// Adds, begins and ends a look-up.
  void look_up(const std::string& host, bool found, SteadyTime::duration takes) {
    add(host);
    ASSERT_EQ(queue_.take(now_), host);
    now_ += takes;
    queue_.finish(host, found, now_);
  }

  void add_hostile(int count) {
    for (int i = 0; i < count; ++i) add(hostile(i));
  }
  static std::string hostile(int i) { return "h" + std::to_string(i) + ".example"; }

  DnsQueue queue_;
  SteadyTime now_{};
};

TEST_F(DnsQueueTest, LooksANameUpOnceForAllCallers) {
  add("a");
  add("a");
  EXPECT_EQ(take_all(), std::vector<std::string>{"a"});
  add("a");  // The look-up runs meanwhile.
  EXPECT_EQ(take_all(), std::vector<std::string>{});
  EXPECT_EQ(queue_.finish("a", true, now_).size(), 3U);
  EXPECT_EQ(queue_.queued_count(), 0U);
}

TEST_F(DnsQueueTest, BeginsNoLookupWithoutCallers) {
  const auto first = add("a");
  const auto second = add("a");
  EXPECT_TRUE(queue_.drop(first));
  EXPECT_EQ(queue_.ready_count(), 1U);
  EXPECT_TRUE(queue_.drop(second));
  EXPECT_EQ(queue_.ready_count(), 0U);
  EXPECT_FALSE(queue_.take(now_));
  EXPECT_FALSE(queue_.drop(second));
}

TEST_F(DnsQueueTest, LaterCallersJoinARunningLookup) {
  const auto first = add("a");
  EXPECT_EQ(queue_.take(now_), "a");
  EXPECT_TRUE(queue_.drop(first));
  add("a");
  EXPECT_FALSE(queue_.take(now_));
  EXPECT_EQ(queue_.finish("a", true, now_).size(), 1U);
}

TEST_F(DnsQueueTest, NamesWithoutAnAnswerLeaveRoomForOneFoundBefore) {
  look_up("good", true, milliseconds{5});
  add_hostile(200);
  EXPECT_EQ(take_all().size(), DnsQueue::unproven_running_max);
  EXPECT_EQ(queue_.ready_count(), 0U);
  add("good");
  EXPECT_EQ(queue_.ready_count(), 1U);
  EXPECT_EQ(queue_.take(now_), "good");
}

TEST_F(DnsQueueTest, NamesThatWereSlowLeaveRoomForNewOnes) {
  for (int i = 0; i < 200; ++i) look_up(hostile(i), false, seconds{15});
  add_hostile(200);
  EXPECT_EQ(queue_.ready_count(), DnsQueue::slow_running_max);
  EXPECT_EQ(take_all().size(), DnsQueue::slow_running_max);
  add("new");
  EXPECT_EQ(queue_.take(now_), "new");
}

TEST_F(DnsQueueTest, ASlowNameIsOrdinaryAgainOnceItWasQuick) {
  look_up("a", false, seconds{15});
  look_up("a", true, milliseconds{5});
  add_hostile(200);
  take_all();
  add("a");
  EXPECT_EQ(queue_.take(now_), "a");
}

TEST_F(DnsQueueTest, ANameThatWasFoundAndThenHangsLosesItsThreads) {
  look_up("a", true, milliseconds{5});
  look_up("a", true, seconds{1});
  add_hostile(200);
  take_all();
  add("a");
  EXPECT_FALSE(queue_.take(now_));
}

TEST_F(DnsQueueTest, LimitsTheNamesOfEachKind) {
  look_up("good", true, milliseconds{5});
  add_hostile(static_cast<int>(DnsQueue::queued_max));
  EXPECT_FALSE(queue_.add("one more", [](const Result<HostAddressList>&) {}));
  add(hostile(0));  // This name waits already, so it needs no further place.
  add("good");
  EXPECT_EQ(queue_.queued_count(), DnsQueue::queued_max + 1);
}

TEST_F(DnsQueueTest, ClearReturnsAllCallers) {
  const auto running = add("running");
  EXPECT_EQ(queue_.take(now_), "running");
  add("queued");
  EXPECT_EQ(queue_.clear().size(), 2U);
  EXPECT_FALSE(queue_.take(now_));
  EXPECT_FALSE(queue_.drop(running));
  EXPECT_TRUE(queue_.finish("running", true, now_).empty());
}

TEST(RecentNames, ForgetsTheNameAddedLongestAgo) {
  RecentNames names{2};
  names.add("a");
  names.add("b");
  names.add("a");
  names.add("c");
  EXPECT_TRUE(names.contains("a"));
  EXPECT_FALSE(names.contains("b"));
  EXPECT_TRUE(names.contains("c"));
  names.erase("a");
  EXPECT_FALSE(names.contains("a"));
}

}  // namespace
}  // namespace concerto::net::test
