#pragma once

#include <memory>
#include <optional>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/clock.hpp>

namespace concerto::tools {

/// When the certificates of connections are over. One thread uses it.
class PeerCertificate {
 public:
  /// Notes what is shown to connections of this context from now on.
  explicit PeerCertificate(std::shared_ptr<boost::asio::ssl::context> tls);
  ~PeerCertificate();
  PeerCertificate(const PeerCertificate&) = delete;
  PeerCertificate& operator=(const PeerCertificate&) = delete;

  /// The end of what the other side has shown, of its chain the earliest one; nothing before the
  /// first connection.
  std::optional<WallTime> shown() const noexcept { return shown_; }
  /// The end of the context's own certificate; nothing without one.
  std::optional<WallTime> own() const;

 private:
  static void note(const SSL* connection, int where, int result);

  const std::shared_ptr<boost::asio::ssl::context> tls_;
  std::optional<WallTime> shown_;
};

}  // namespace concerto::tools
