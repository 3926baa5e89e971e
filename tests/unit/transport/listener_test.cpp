// Where a listener listens, and how it takes over a listening socket.

#include <concerto/transport/listener.hpp>

#include "grpc_fixture.hpp"

namespace concerto::net {
namespace {

using asio::ip::tcp;
using RawSocket = asio::basic_stream_socket<tcp, Executor>;

class ListenerTest : public GrpcTest {
 protected:
  void SetUp() override {
    make_server();
    listener = std::make_unique<Listener>(executor(), timers,
                                          std::vector<ConnectionServer*>{server.get()});
  }

  RawSocket connect(const tcp::endpoint& to) {
    RawSocket socket(executor());
    socket.connect(to);
    return socket;
  }
};

TEST_F(ListenerTest, TheUnspecifiedAddressOfIpv6CoversIpv4) {
  const auto opened = listener->listen({tcp::v6(), 0});
  if (!opened) GTEST_SKIP() << "no IPv6 here: " << opened.error().detail;
  const RawSocket socket = connect({asio::ip::address_v4::loopback(), listener->address().port()});
  run_until([&] { return server->connection_count() == 1; });
}

TEST_F(ListenerTest, AcceptsConnectionsThatCameBeforeIt) {
  tcp::endpoint at{asio::ip::address_v4::loopback(), 0};
  {
    Listener scout(executor(), timers, {server.get()});
    ASSERT_TRUE(scout.listen(at));
    at = scout.address();  // This port is free again when `scout` has closed.
  }
  auto again = ListeningSocket::open(at);
  ASSERT_TRUE(again) << again.error().detail;
  const RawSocket early = connect(at);
  ASSERT_TRUE(listener->listen(std::move(*again)));
  EXPECT_EQ(listener->address(), at);
  run_until([&] { return server->connection_count() == 1; });
}

TEST_F(ListenerTest, AListeningSocketKeepsItsPort) {
  ASSERT_TRUE(listener->listen({asio::ip::address_v4::loopback(), 0}));
  EXPECT_FALSE(ListeningSocket::open(listener->address()));
  const auto at = listener->address();
  listener->close();
  EXPECT_TRUE(ListeningSocket::open(at));
}

}  // namespace
}  // namespace concerto::net
