#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include <concerto/transport/host_resolver.hpp>

#include "await_result.hpp"

namespace concerto::net {
namespace {

using concerto::test::await_result;

TEST(SystemHostResolver, FindsLoopback) {
  asio::io_context io{1};
  DnsWorkers workers;
  SystemHostResolver resolver{io.get_executor(), workers};
  const auto found = await_result(io, resolver.resolve("localhost"));
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_FALSE(found->empty());
  for (const auto& address : *found) EXPECT_TRUE(address.is_loopback());
}

TEST(SystemHostResolver, NamesTheHostThatItCannotFind) {
  asio::io_context io{1};
  DnsWorkers workers;
  SystemHostResolver resolver{io.get_executor(), workers};
  const auto found = await_result(io, resolver.resolve("not a host name"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().detail.find("lookup not a host name: "), 0U) << found.error().detail;
}

TEST(DnsWorkers, KeepsTheFirstOfManyAddresses) {
  asio::io_context io{1};
  DnsWorkers workers{[](const std::string&) -> Result<HostAddressList> {
    HostAddressList many;
    for (unsigned i = 0; i < 4'000; ++i) many.push_back(asio::ip::address_v4{i});
    return many;
  }};
  SystemHostResolver resolver{io.get_executor(), workers};
  const auto found = await_result(io, resolver.resolve("everywhere"));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), DnsWorkers::addresses_max);
  EXPECT_EQ(found->front(), asio::ip::address_v4{0U});
  EXPECT_EQ(found->back(), asio::ip::address_v4{255U});
}

TEST(DnsWorkers, EndsWithLookupsInTheQueue) {
  std::atomic<int> answered = 0;
  {
    DnsWorkers workers;
    for (int i = 0; i < 100; ++i) {
      workers.look_up("localhost", [&answered](Result<HostAddressList>) { ++answered; });
    }
  }
  EXPECT_LE(answered, 100);
}

/// Stands for a name server. Names that begin with `hangs` get no answer before release.
class SilentServer {
 public:
  DnsWorkers::Resolve resolve() {
    return [state = state_](const std::string& host) -> Result<HostAddressList> {
      std::unique_lock lock{state->mutex};
      ++state->asked;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->released || host.find("hangs") != 0; });
      return HostAddressList{asio::ip::address_v4::loopback()};
    };
  }

  ~SilentServer() { release(); }

  void release() {
    const std::lock_guard lock{state_->mutex};
    state_->released = true;
    state_->changed.notify_all();
  }

  void wait_until_asked(int count) {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait(lock, [&] { return state_->asked >= count; });
  }

  int asked() {
    const std::lock_guard lock{state_->mutex};
    return state_->asked;
  }

 private:
  /// Shared with threads that outlive their workers.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int asked = 0;
    bool released = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

void look_up_hanging(DnsWorkers& workers, int count) {
  for (int i = 0; i < count; ++i) {
    workers.look_up("hangs" + std::to_string(i), [](const Result<HostAddressList>&) {});
  }
}

TEST(DnsWorkers, NamesWithoutAnAnswerDoNotDelayOneFoundBefore) {
  SilentServer server;
  asio::io_context io{1};
  DnsWorkers workers{server.resolve()};
  SystemHostResolver resolver{io.get_executor(), workers};
  ASSERT_TRUE(await_result(io, resolver.resolve("good")));
  look_up_hanging(workers, 200);
  server.wait_until_asked(1 + static_cast<int>(DnsWorkers::unproven_threads_max));
  EXPECT_TRUE(await_result(io, resolver.resolve("good")));
}

TEST(DnsWorkers, BeginsNoLookupWhoseCallersHaveGone) {
  SilentServer server;
  asio::io_context io{1};
  DnsWorkers workers{server.resolve()};
  SystemHostResolver resolver{io.get_executor(), workers};
  const int running = static_cast<int>(DnsWorkers::unproven_threads_max);
  look_up_hanging(workers, running);
  server.wait_until_asked(running);

  const auto interest = std::make_shared<LookupInterest>();
  asio::post(io, [interest] { interest->lose(); });
  const auto found = await_result(io, resolver.resolve_while("unwanted", interest));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, asio::error::operation_aborted);
  server.release();
  ASSERT_TRUE(await_result(io, resolver.resolve("wanted")));
  EXPECT_EQ(server.asked(), running + 1);
}

TEST(DnsWorkers, EndsWithoutWaitingForALookupThatHangs) {
  SilentServer server;
  const auto held = std::make_shared<int>();
  {
    DnsWorkers workers{server.resolve()};
    workers.look_up("hangs", [held](const Result<HostAddressList>&) { ++*held; });
    server.wait_until_asked(1);
  }
  // The object that the answer was for may be destroyed now.
  EXPECT_EQ(held.use_count(), 1);
  server.release();
  EXPECT_EQ(*held, 0);
}

TEST(DnsWorkers, RefusesMoreThanItsQueueHolds) {
  SilentServer server;
  std::atomic<std::size_t> refused = 0;
  DnsWorkers workers{server.resolve()};
  const std::size_t held = DnsWorkers::unproven_threads_max + DnsWorkers::queued_max;
  for (std::size_t i = 0; i < held + 10; ++i) {
    workers.look_up("hangs" + std::to_string(i), [&](const Result<HostAddressList>& result) {
      if (!result && result.error().code == Errc::overloaded) ++refused;
    });
  }
  EXPECT_GE(refused, 10U);
}

}  // namespace
}  // namespace concerto::net
