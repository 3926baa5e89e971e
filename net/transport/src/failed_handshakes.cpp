#include <sstream>
#include <utility>

#include <concerto/transport/failed_handshakes.hpp>

namespace concerto::net {
namespace {

constexpr std::chrono::seconds handshake_line_interval{60};

}  // namespace

FailedHandshakes::FailedHandshakes(const Clock& clock, std::string port,
                                   std::function<void(const std::string&)> say)
    : clock_(clock), port_(std::move(port)), say_(std::move(say)) {}

void FailedHandshakes::note(const boost::asio::ip::tcp::endpoint& peer, const Error& reason) {
  unreported_.fetch_add(1, std::memory_order_relaxed);
  const SteadyTime now = clock_.steady_now();
  SteadyTime next = next_line_.load(std::memory_order_relaxed);
  // One thread wins if several come at the same time.
  if (now < next || !next_line_.compare_exchange_strong(next, now + handshake_line_interval))
    return;
  std::ostringstream text;
  text << "TLS handshakes failed at the " << port_
       << " port since the last such line: " << unreported_.exchange(0) << "; the last one with "
       << peer << ": " << reason.detail;
  say_(std::move(text).str());
}

}  // namespace concerto::net
