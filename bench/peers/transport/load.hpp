#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

/// One workload for two implementations, as servers and as clients: unary calls on one connection,
/// `streams` of them at a time.
namespace concerto::bench {

inline constexpr std::size_t request_bytes = 200;
inline constexpr std::size_t reply_bytes = 50;
inline constexpr const char* method_path = "/concerto.bench.Echo/Call";

/// A server on a thread of its own, which answers each call with reply_bytes.
class LoadServer {
 public:
  virtual ~LoadServer() = default;
  virtual std::uint16_t port() const = 0;
};

/// Makes calls on the calling thread.
class LoadClient {
 public:
  virtual ~LoadClient() = default;
  /// Returns the number of calls that ended well. If it is not all of them, the benchmark has
  /// failed.
  virtual std::size_t run(std::size_t calls, std::size_t streams) = 0;
};

std::unique_ptr<LoadServer> make_our_server();
std::unique_ptr<LoadServer> make_grpc_server();
std::unique_ptr<LoadClient> make_our_client(std::uint16_t port);
std::unique_ptr<LoadClient> make_grpc_client(std::uint16_t port);

}  // namespace concerto::bench
