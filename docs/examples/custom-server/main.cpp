// A server of your own with the coordinator, its store and the branches inside. It serves lines of
// TCP: each is an amount that moves from Ann to Ben, and is answered with `ok` or the reason.
#include <iostream>

#include <boost/asio.hpp>

#include <concerto/base/system.hpp>
#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/engine/stderr_log.hpp>
#include <concerto/persist/leveldb_store.hpp>

using namespace concerto;
using asio::ip::tcp;

asio::awaitable<void> serve(tcp::socket client, EmbeddedCoordinator& coordinator) {
  for (std::string input;;) {
    const std::size_t size = co_await asio::async_read_until(
        client, asio::dynamic_buffer(input, 100), '\n', asio::use_awaitable);
    TransRequest saga;
    saga.gid = coordinator.new_gid();
    saga.trans_type = "saga";
    saga.steps = {{"out", "out-undone"}, {"in", ""}};
    saga.payloads.assign(2, input.substr(0, size - 1));
    saga.options.wait_result = true;
    const Result<> moved = co_await coordinator.submit(saga);
    input.erase(0, size);
    const std::string answer = (moved ? "ok" : moved.error().detail) + "\n";
    co_await asio::async_write(client, asio::buffer(answer), asio::use_awaitable);
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, EmbeddedCoordinator& coordinator) {
  for (;;) {
    tcp::socket client = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(client), coordinator), asio::detached);
  }
}

int main() {
  int ann = 100, ben = 0;
  const auto cents = [](const LocalCall& call) { return std::stoi(std::string(call.payload)); };
  LocalBranches bank;  // A real branch has a barrier, because it may be called again.
  bank.add("out", [&](const LocalCall& call) { ann -= cents(call); });
  bank.add("out-undone", [&](const LocalCall& call) { ann += cents(call); });
  bank.add("in", [&](const LocalCall& call) {
    if (cents(call) > 50) return local_failure("too much for Ben");
    ben += cents(call);
    return BranchReply{Outcome::success, {}};
  });
  asio::io_context io{1};
  SystemClock clock;
  StderrLog log;
  persist::LevelDbOptions options;
  options.path = "./bank-data";
  const auto store = persist::LevelDbStore::open(options, clock, log);
  if (!store) return std::cerr << store.error().detail << '\n', 1;
  EmbeddedCoordinator coordinator{io, **store, bank};
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  asio::co_spawn(io, accept(acceptor, coordinator), asio::detached);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](auto...) { io.stop(); });
  std::cout << "port " << acceptor.local_endpoint().port() << std::endl;
  io.run();
  std::cout << "Ann has " << ann << ", Ben has " << ben << std::endl;
}
