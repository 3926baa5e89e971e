#include "own_asio.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>

namespace asio = boost::asio;

namespace {

asio::awaitable<void> wait(int& ended) {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::milliseconds{1}};
  co_await timer.async_wait(asio::use_awaitable);
  ++ended;
}

}  // namespace

void start_own_asio(asio::io_context& io, int& ended) {
  asio::co_spawn(io, wait(ended), asio::detached);
  asio::post(io, [&ended] { ++ended; });
  asio::ssl::context tls{asio::ssl::context::tls_client};
  asio::ssl::stream<asio::ip::tcp::socket> never_connected{io, tls};
  asio::any_io_executor executor = io.get_executor();
  asio::post(executor, [&ended] { ++ended; });
}

bool is_end(const boost::system::error_code& error) {
  return error == asio::error::eof;
}
