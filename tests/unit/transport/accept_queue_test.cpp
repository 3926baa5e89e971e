#include "accept_queue.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using asio::ip::tcp;

TEST(AcceptQueue, LetsOtherWorkRunHoweverManyConnectionsWait) {
  asio::io_context io{1};
  tcp::acceptor acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  acceptor.non_blocking(true);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(io).connect(acceptor.local_endpoint());

  AcceptQueue queue{nullptr};
  int taken = 0;
  const auto take = [&taken](const AcceptedSocket&) { ++taken; };
  const auto refuse = [](int) { FAIL() << "there are descriptors"; };
  EXPECT_TRUE(queue.drain(acceptor.native_handle(), take, refuse));
  EXPECT_EQ(taken, 64);
  EXPECT_TRUE(queue.drain(acceptor.native_handle(), take, refuse));
  EXPECT_EQ(taken, 100);
}

}  // namespace
}  // namespace concerto::net
