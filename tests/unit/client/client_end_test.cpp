// The end of a client, and limits and options at their ends.

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <concerto/base/compose.hpp>
#include <concerto/client/blocking.hpp>
#include <concerto/client/client.hpp>

#include "client_wire.hpp"

namespace concerto::client {
namespace {

/// Takes connections and never answers.
class Silent : public testing::TestWithParam<const char*> {
 protected:
  std::string address() const {
    return GetParam() + ("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
  }

  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_P(Silent, IsLeftByAClientThatIsDestroyed) {
  std::optional<Client> client(std::in_place, io_.get_executor(), address());
  std::optional<error_code> code;
  start(
      io_.get_executor(), client->new_gid(),
      [&](const std::exception_ptr&, const Result<std::string>& gid) { code = gid.error().code; });
  for (int i = 0; i < 20; ++i) io_.run_one_for(std::chrono::milliseconds(1));
  ASSERT_FALSE(code);
  client.reset();
  io_.restart();
  io_.poll();
  ASSERT_TRUE(code);
  EXPECT_TRUE(*code == ClientErrc::try_later || *code == ClientErrc::unknown_outcome) << *code;
}

INSTANTIATE_TEST_SUITE_P(Wires, Silent, testing::Values("http://", ""));

using ClientEnds = ClientWire;

TEST_F(ClientEnds, TheLongestTimeLimitIsNone) {
  ClientOptions options;
  options.timeout = std::chrono::milliseconds::max();
  Saga saga = client(options).saga("g");
  saga.options.request_timeout = std::chrono::seconds::max();
  saga.add(host_ + "/Out", "", "1");
  EXPECT_TRUE(await(saga.submit()));
}

TEST_F(ClientEnds, AHostForTlsWithoutTlsIsAnError) {
  ClientOptions options;
  options.grpc_tls_host = "b.org";
  options.token = "secret";
  client_.emplace(io_.get_executor(), host_.substr(7), options);
  const Result<std::string> gid = await(client_->new_gid());
  ASSERT_FALSE(gid);
  EXPECT_EQ(gid.error().code, ClientErrc::not_sendable);
  EXPECT_EQ(gid.error().detail,
            "grpc_tls_host is 'b.org', and there is no tls: nothing is sent without it");
}

TEST_F(ClientEnds, ABlockingClientServesSeveralThreads) {
  answers_["/api/dtmsvr/newGid"] = net::json_response(200, R"({"gid":"g"})");
  blocking::Client client{host_ + "/api/dtmsvr"};
  std::atomic<int> got = 0;
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) got += client.wait(client->new_gid()).has_value() ? 1 : 0;
      ++ended;
    });
  }
  while (ended < 3) io_.run_one_for(std::chrono::milliseconds(1));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, 15);
}

template <class F>
concept IsWork =
    requires(Msg& msg, F&& work) { msg.do_and_submit("query", std::forward<F>(work)); };
template <class F>
concept IsXaWork = requires(Xa& xa, F&& work) { xa.run(std::forward<F>(work)); };
template <class F>
concept IsTccWork = requires(Tcc& tcc, F&& work) { tcc.run(std::forward<F>(work)); };

TEST(ClientInCompiling, ATemporaryThatOwnsSomethingHasANameFirst) {
  const std::string owned;
  [[maybe_unused]] auto work = [owned]() { return Async<>(); };
  [[maybe_unused]] auto tcc = [owned](Tcc&) { return Async<>(); };
  [[maybe_unused]] auto xa = [owned](Xa&) { return Async<>(); };
  static_assert(!IsWork<decltype(work)> && IsWork<decltype(work)&>);
  static_assert(!IsTccWork<decltype(tcc)> && IsTccWork<decltype(tcc)&>);
  static_assert(!IsXaWork<decltype(xa)> && IsXaWork<decltype(xa)&>);
  [[maybe_unused]] auto refers = [&owned](Xa&) {
    EXPECT_TRUE(owned.empty());
    return Async<>();
  };
  static_assert(IsXaWork<decltype(refers)>);
}

}  // namespace
}  // namespace concerto::client
