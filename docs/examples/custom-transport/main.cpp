// A transport of your own: services that speak a protocol of lines over TCP. A call sends
// `<gid> <branch_id> <op> <payload>` and reads `success`, `failure <why>` or `ongoing`.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio.hpp>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;
using concerto::BranchCall;
using concerto::BranchReply;
using concerto::Outcome;
using concerto::Result;
using concerto::Task;

/// Calls URLs such as `line://7070`, a port of this machine. A real transport keeps connections.
class LineCaller final : public concerto::BranchCaller {
 public:
  Task<BranchReply> call(BranchCall call) override {
    using Socket = asio::basic_stream_socket<tcp, concerto::Executor>;
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             concerto::Executor>;
    const concerto::Executor shard = co_await asio::this_coro::executor;
    const auto socket = std::make_shared<Socket>(shard);
    Timer deadline(shard, call.deadline);
    deadline.async_wait([socket](const boost::system::error_code& error) {
      if (!error) socket->close();
    });
    const tcp::endpoint service(asio::ip::address_v4::loopback(), port_of(call.url));
    co_await socket->async_connect(service, concerto::use_task);  // What it throws is an error.
    std::string line = call.gid->str() + " " + std::string(call.branch_id) + " " +
                       std::string(call.op) + " " + std::string(call.payload) + "\n";
    co_await asio::async_write(*socket, asio::buffer(line), concerto::use_task);
    line.clear();
    const std::size_t size = co_await asio::async_read_until(
        *socket, asio::dynamic_buffer(line, 1024), '\n', concerto::use_task);
    co_return reply_of(std::string_view(line).substr(0, size - 1));
  }

  /// A transaction with a URL that can never be called is refused when it is submitted.
  Result<unsigned> way_of(concerto::Protocol, std::string_view url) const override {
    if (url.starts_with(scheme) && port_of(url) != 0) return 0U;
    return concerto::make_error(concerto::Errc::invalid_request,
                                "'" + std::string(url) + "' is not line://<port>");
  }

 private:
  static constexpr std::string_view scheme = "line://";

  static std::uint16_t port_of(std::string_view url) {
    const std::string port(url.substr(scheme.size()));
    return static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
  }

  static BranchReply reply_of(std::string_view answer) {
    if (answer.starts_with("failure ")) return concerto::local_failure(answer.substr(8));
    BranchReply reply;  // An error unless the answer is known: the call is made again.
    if (answer == "success") reply.outcome = Outcome::success;
    if (answer == "ongoing") reply.outcome = Outcome::ongoing;
    return reply;
  }
};

/// A service that speaks this protocol. It has nothing in stock after three parts.
asio::awaitable<void> serve_stock(tcp::acceptor& acceptor, std::vector<std::string>& requests) {
  for (;;) {
    tcp::socket peer = co_await acceptor.async_accept(asio::use_awaitable);
    std::string line;
    co_await asio::async_read_until(peer, asio::dynamic_buffer(line, 1024), '\n',
                                    asio::use_awaitable);
    requests.push_back(line.substr(0, line.size() - 1));
    const std::string answer = requests.size() > 3 ? "failure no stock\n" : "success\n";
    co_await asio::async_write(peer, asio::buffer(answer), asio::use_awaitable);
  }
}

concerto::TransRequest order(std::string gid, const std::string& stock) {
  concerto::TransRequest saga;
  saga.gid = concerto::Gid(std::move(gid));
  saga.trans_type = "saga";
  saga.steps = {{"pay", "pay-undone"}, {stock, ""}};
  saga.payloads = {"5", "one part"};
  saga.options.wait_result = true;
  return saga;
}

int main() {
  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::vector<std::string> requests;
  asio::co_spawn(io, serve_stock(acceptor, requests), asio::detached);

  int paid = 0;
  LineCaller lines;
  concerto::LocalBranches branches;
  branches.add("pay", [&paid](const concerto::LocalCall&) { paid += 5; });
  branches.add("pay-undone", [&paid](const concerto::LocalCall&) { paid -= 5; });
  branches.otherwise(lines);  // All other URLs.
  concerto::persist::MemoryStore store;
  concerto::EmbeddedCoordinator coordinator{io, store, branches};

  const std::string stock = "line://" + std::to_string(acceptor.local_endpoint().port());
  std::vector<std::string> answers;
  const auto keep = [&](const Result<>& ended) {
    answers.push_back(ended ? "ok" : ended.error().detail);
    if (answers.size() == 5) io.stop();
  };
  for (const char* gid : {"a", "b", "c", "d"}) coordinator.submit(order(gid, stock), keep);
  coordinator.submit(order("e", "line://stock"), keep);
  io.run();

  for (const std::string& answer : answers) std::printf("%s\n", answer.c_str());
  std::printf("paid %d, the first request was '%s'\n", paid, requests.front().c_str());
  const bool is_refused = answers.front() == "steps[1].action: 'line://stock' is not line://<port>";
  const bool has_failed = answers.back().ends_with("no stock FAILURE");
  return is_refused && has_failed && paid == 15 && requests.front() == "a 02 action one part"
             ? EXIT_SUCCESS
             : EXIT_FAILURE;
}
