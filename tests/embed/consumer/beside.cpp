// A program that uses Concerto beside a library that uses Asio in its own way (own_asio.hpp). Only
// this file is compiled with what Concerto's package asks for.
#include <cstdio>
#include <cstdlib>

#include <boost/asio.hpp>
#include <boost/asio/ssl/context.hpp>

#include <concerto/base/system.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/persist/memory_store.hpp>

#include "own_asio.hpp"

namespace {

using namespace concerto;

/// A coroutine of Concerto, which waits for one of its timers and for its store.
Task<> work(Timers& timers, Store& store, int& ended) {
  co_await sleep_until(timers, std::chrono::steady_clock::now() + std::chrono::milliseconds{1});
  const auto found = co_await store.load(Gid{"none"});
  if (found && !*found) ++ended;
}

}  // namespace

int main() {
  asio::io_context shard{1};
  const SystemClock clock;
  Timers timers{shard.get_executor(), clock};
  persist::MemoryStore store;
  TaskGroup tasks{shard.get_executor()};
  int ended = 0;
  tasks.spawn(work(timers, store, ended));
  start_own_asio(shard, ended);

  asio::ssl::context tls{asio::ssl::context::tls_client};
  asio::ip::tcp::acceptor acceptor{shard, {asio::ip::address_v4::loopback(), 0}};
  asio::ip::tcp::socket client{shard};
  client.connect(acceptor.local_endpoint());
  asio::ip::tcp::socket server = acceptor.accept();
  client.close();
  bool ends = false;
  char byte[1];
  server.async_read_some(asio::buffer(byte), [&ends](boost::system::error_code error, std::size_t) {
    ends = error == asio::error::eof && is_end(error);
  });
  shard.run();
  std::printf("%d of 4 parts ended; the end of the connection was %s\n", ended,
              ends ? "seen" : "missed");
  return ended == 4 && ends ? EXIT_SUCCESS : EXIT_FAILURE;
}
