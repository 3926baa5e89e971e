#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// Reports the TLS handshakes that fail at one port, at most once a minute. The servers of all
/// shards share the object. Thread-safe.
class CONCERTO_EXPORT FailedHandshakes {
 public:
  /// `port` names the port in the report. `say` is called with a sentence for the operator, on the
  /// thread of the server whose handshake failed.
  FailedHandshakes(const Clock& clock, std::string port,
                   std::function<void(const std::string&)> say);
  FailedHandshakes(const FailedHandshakes&) = delete;
  FailedHandshakes& operator=(const FailedHandshakes&) = delete;

  /// Call this for every handshake that failed.
  void note(const boost::asio::ip::tcp::endpoint& peer, const Error& reason);

 private:
  const Clock& clock_;
  const std::string port_;
  const std::function<void(const std::string&)> say_;
  std::atomic<std::uint64_t> unreported_{0};
  std::atomic<SteadyTime> next_line_{SteadyTime{}};
};

}  // namespace concerto::net
