#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace concerto::net::test {

/// An etcd process with one member on loopback, and its data in a directory of its own. Ports and
/// data stay the same after kill and start.
class RealEtcd {
 public:
  /// Whether the program is installed.
  static bool installed();

  /// Files for its TLS. The CA is that of its clients, who must show a certificate.
  struct Tls {
    std::string certificate;
    std::string key;
    std::string client_ca;
  };

  explicit RealEtcd(std::optional<Tls> tls = {});
  ~RealEtcd();
  RealEtcd(const RealEtcd&) = delete;
  RealEtcd& operator=(const RealEtcd&) = delete;

  /// Starts the process. It serves a little later.
  void start();
  void kill();
  /// Removes the data. Call it between kill and start.
  void lose_data();

  /// `localhost:<port>`
  std::string hosts() const { return "localhost:" + std::to_string(port_); }
  std::uint16_t port() const noexcept { return port_; }

 private:
  std::optional<Tls> tls_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  std::uint16_t peer_port_ = 0;
  pid_t process_ = -1;
};

}  // namespace concerto::net::test
