// How many connections one client may have.

#include <gmock/gmock.h>

#include <concerto/transport/client_connections.hpp>

#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using asio::ip::make_address;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ConnectionsOfClients : public ServerTest {
 protected:
  bool take(const char* address) {
    ClientPlace place;
    const bool has_room = clients_->take(make_address(address), place);
    places_.push_back(std::move(place));
    return has_room;
  }

  std::vector<std::string> said_;
  std::shared_ptr<ClientConnections> clients_ = std::make_shared<ClientConnections>(
      clock_, [this](const std::string& text) { said_.push_back(text); }, "Limits.Connections");
  std::vector<ClientPlace> places_;
};

TEST_F(ConnectionsOfClients, AreCountedByNetwork) {
  clients_->set_limit(1, {});
  EXPECT_TRUE(take("10.0.0.7"));
  EXPECT_FALSE(take("10.0.0.7"));
  EXPECT_FALSE(take("::ffff:10.0.0.7"));
  EXPECT_TRUE(take("10.0.0.8"));
  EXPECT_TRUE(take("2001:db8:0:7::1"));
  EXPECT_FALSE(take("2001:db8:0:7:8::1"));
  EXPECT_TRUE(take("2001:db8:0:8::1"));
  EXPECT_EQ(clients_->refused_count(), 3U);
  places_.clear();
  EXPECT_TRUE(take("10.0.0.7")) << "the place was given back";
}

TEST_F(ConnectionsOfClients, AreNotLimitedForSome) {
  EXPECT_TRUE(take("10.0.0.7")) << "without a limit nobody is counted";
  clients_->set_limit(1, AddressSet::parse("127.0.0.0/8").value());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(take("127.0.0.1"));
  EXPECT_TRUE(take("10.0.0.7"));
  EXPECT_FALSE(take("10.0.0.7"));
  clients_->set_limit(2, {});
  EXPECT_TRUE(take("10.0.0.7"));
  clients_->set_limit(1, {});
  EXPECT_FALSE(take("10.0.0.7"));
  clients_->set_limit(0, {});
  EXPECT_TRUE(take("10.0.0.7"));
}

TEST_F(ConnectionsOfClients, AreReportedOnceAMinuteForEachClientAndOnlyForSome) {
  clients_->set_limit(1, {});
  for (int i = 0; i < 4; ++i) take("10.0.0.7");
  EXPECT_THAT(said_, ElementsAre(StartsWith("client 10.0.0.7 has 1 connection open")));
  clock_.advance(61s);
  take("10.0.0.7");
  EXPECT_THAT(said_.back(), HasSubstr(": 3 since the last such line"));
  for (int i = 0; i < 50; ++i) {
    for (int j = 0; j < 2; ++j) take(("10.1.0." + std::to_string(i)).c_str());
  }
  EXPECT_EQ(said_.size(), 1 + ClientConnections::lines_max);
}

TEST_F(ConnectionsOfClients, AreRefusedByTheListenerAndGivenBackAtTheEnd) {
  clients_->set_limit(2, {});
  server_ = std::make_unique<HttpServer>(executor(), timers_, router_.handler());
  listener_ = std::make_unique<Listener>(executor(), timers_,
                                         std::vector<ConnectionServer*>{server_.get()});
  listener_->limit_clients(clients_);
  ASSERT_TRUE(listener_->listen(loopback()));
  const std::string hello = "GET /hello HTTP/1.1\r\nHost: b\r\n\r\n";
  std::vector<RawPeer*> kept;
  for (int i = 0; i < 2; ++i) {
    kept.push_back(&connect());
    kept.back()->send(hello);
    run_until_received(*kept.back(), "hello you");
  }
  RawPeer& third = connect();
  run_until([&] { return third.saw_end(); });
  EXPECT_THAT(third.received(), StartsWith("HTTP/1.1 503 "));
  kept[0]->close();
  run_until([&] { return server_->connection_count() == 1; });
  RawPeer& fourth = connect();
  fourth.send(hello);
  run_until_received(fourth, "hello you");
}

}  // namespace
}  // namespace concerto::net::test
