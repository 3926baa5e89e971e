#include <atomic>

#include <gtest/gtest.h>

#include <concerto/net/host_resolver.hpp>

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

TEST(DnsWorkers, RefusesMoreThanItsQueueHolds) {
  std::atomic<int> refused = 0;
  DnsWorkers workers;
  // Far more than the threads can take away meanwhile.
  for (std::size_t i = 0; i < 20 * DnsWorkers::queued_max; ++i) {
    workers.look_up("localhost", [&refused](const Result<HostAddressList>& result) {
      if (!result && result.error().code == Errc::overloaded) ++refused;
    });
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace concerto::net
