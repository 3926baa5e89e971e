// Ten thousand connections that send nothing: both front ends go on.

#include <atomic>
#include <cstdlib>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

constexpr std::size_t idle_connections = 10'000;
/// Descriptors that a process needs besides those connections.
constexpr std::size_t other_descriptors = 200;

/// Raises the limit of descriptors to what the system allows, and says whether that is enough.
bool enough_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         limit.rlim_cur >= idle_connections + other_descriptors;
}

/// Runs in the child: opens the connections, holds them until the parent closes its end of `hold`,
/// and exits with 0 if all could be opened. Uses only system calls, as a child must after a fork.
[[noreturn]] void hold_connections(std::uint16_t port, int hold) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int failures = 0;
  for (std::size_t count = 0; count < idle_connections; ++count) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      failures = 1;
    }
  }
  char end = 0;
  while (::read(hold, &end, 1) > 0) {
  }
  ::_exit(failures);
}

/// The other ends of the idle connections, in a process of their own, because descriptors are
/// limited per process.
class IdlePeers {
 public:
  explicit IdlePeers(std::uint16_t port) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[1]);
      hold_connections(port, ends[0]);
    }
    ::close(ends[0]);
    hold_ = ends[1];
  }

  bool started() const { return child_ > 0; }

  /// Closes the connections. True if all of them had been opened.
  bool leave() {
    ::close(hold_);
    int status = -1;
    return ::waitpid(child_, &status, 0) == child_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t child_ = -1;
  int hold_ = -1;
};

class IdleConnections : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (enough_descriptors()) return;
    const std::string text = "RLIMIT_NOFILE does not allow 10,200 descriptors";
    if (std::getenv("CI") != nullptr) FAIL() << text;
    GTEST_SKIP() << text;
  }

  void expect_both_serve() {
    EXPECT_EQ(get("/api/ping").status, 200U);
    EXPECT_EQ(post("submit", json_request("h", "saga", 2, R"(,"wait_result":true)")).status, 200U);
    dtmgimp::DtmRequest request = dtm_request("g", "saga", 2);
    request.mutable_transoptions()->set_waitresult(true);
    const GrpcReply reply = grpc("Submit", request);
    EXPECT_TRUE(reply.ok()) << reply.status.message;
    EXPECT_EQ(status_of("g"), "succeed");
  }
};

TEST_F(IdleConnections, OverHttpDisturbNobody) {
  IdlePeers peers{http_listener_.address().port()};
  ASSERT_TRUE(peers.started());
  run_until([&] { return http_server_.connection_count() == idle_connections; });
  expect_both_serve();
  EXPECT_EQ(http_server_.probe().timed_out_count.load(), 0U);
  EXPECT_TRUE(peers.leave());
  run_until([&] { return http_server_.connection_count() == 0; });
  EXPECT_EQ(get("/api/ping").status, 200U);
}

TEST_F(IdleConnections, OverHttpAreClosedInTheEnd) {
  IdlePeers peers{http_listener_.address().port()};
  ASSERT_TRUE(peers.started());
  run_until([&] { return http_server_.connection_count() == idle_connections; });
  poll();  // the last ones begin to wait, too
  advance(HttpServerOptions{}.idle_timeout);
  run_until([&] { return http_server_.connection_count() == 0; });
  EXPECT_TRUE(peers.leave());
  EXPECT_EQ(get("/api/ping").status, 200U);
}

TEST_F(IdleConnections, OverGrpcDisturbNobody) {
  IdlePeers peers{grpc_listener_.address().port()};
  ASSERT_TRUE(peers.started());
  run_until([&] { return grpc_server_.connection_count() == idle_connections; });
  expect_both_serve();
  // The idle ones have not even said that they speak HTTP/2. The one in use stays.
  poll();
  advance(GrpcServerOptions{}.handshake_timeout);
  run_until([&] { return grpc_server_.connection_count() <= 1; });
  EXPECT_TRUE(peers.leave());
  EXPECT_TRUE(await(grpc_call("NewGid", "")).ok());
}

}  // namespace
}  // namespace concerto::net::test
