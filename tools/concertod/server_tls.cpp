// How a running server gets new certificates.

#include <chrono>

#include <boost/asio/use_future.hpp>

#include "server.hpp"

namespace concerto::tools {
namespace {

constexpr std::chrono::seconds look_interval{1};

}  // namespace

/// Runs on the main thread, which may read files.
Result<TlsContexts> Server::read_tls_files() {
  // A change that comes while the files are read is found by the next look.
  tls_watch_ = FileWatch{stamps_of(tls_files_)};
  return read_tls(config_);
}

void Server::watch_tls_files() {
  if (tls_files_.empty()) return;
  tls_timer_.expires_after(look_interval);
  tls_timer_.async_wait([this](const error_code& failed) {
    if (failed) return;
    if (tls_watch_.look(stamps_of(tls_files_))) renew_tls();
    watch_tls_files();
  });
}

void Server::renew_tls() {
  const auto tls = read_tls(config_);
  if (!tls) {
    log_.error("files of TLS have changed and cannot be used; what was read before stays in use: " +
               tls.error().detail);
    return;
  }
  asio::co_spawn(shards_.front()->executor(), apply(config_, *tls), asio::use_future).get();
  log_.info("files of TLS have changed and are used for new connections" +
            describe_tls(config_, *tls));
}

}  // namespace concerto::tools
