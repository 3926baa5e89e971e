#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json/value.hpp>

#include <concerto/base/clock.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/http_client.hpp>
#include <concerto/transport/system.hpp>

#include "http_answers.hpp"
#include "peer_certificate.hpp"
#include "server_options.hpp"

namespace concerto::tools {

/// The coordinator that a verb asks, over HTTP. Each call returns when the answer is there. One
/// thread uses it. What another HTTP service answers is the error no_coordinator; a request whose
/// answer would not tell is not sent before the coordinator has told its version.
class Server {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;

  /// Connects to nothing yet. Errors: files of TLS that cannot be used, variables of proxies.
  static Result<std::unique_ptr<Server>> open(const ServerPlace& place);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const ServerPlace& place() const noexcept { return place_; }

  /// The answer to a request, whatever its status. The error unreachable means that nothing was
  /// done; failed, that the answer did not come and nobody knows.
  Result<net::HttpClientResponse> send(std::string_view method, std::string_view path,
                                       const Query& query = {}, const std::string& body = {},
                                       std::string_view reason = {});
  /// The same for a request that changes nothing, whatever its method.
  Result<net::HttpClientResponse> send_look(std::string_view method, std::string_view path,
                                            const Query& query = {}, const std::string& body = {},
                                            std::string_view reason = {});

  /// Error no_coordinator: what answers is no coordinator. Ok also if it does not say.
  Result<> check_is_coordinator();

  /// JSON of a request that only reads.
  Result<json::value> get(std::string_view path, const Query& query = {});
  /// The same for several requests, which run at one time; the answers in the order of `queries`.
  /// What the coordinator refuses for now because there are too many is asked again, for a minute.
  std::vector<Result<json::value>> get_all(std::string_view path,
                                           const std::vector<Query>& queries);
  /// Any text of a request that only reads.
  Result<std::string> get_text(std::string_view path, const Query& query = {});

  /// `body` is sent as JSON. `reason`: what the coordinator's audit log is told; may be empty.
  /// The error unreachable means that nothing was changed; failed, that nobody knows. A body with
  /// `dryRun` changes nothing.
  Result<json::value> post(std::string_view path, const json::value& body,
                           std::string_view reason = {});
  /// The same with another method, and with a query in place of a body.
  Result<json::value> change(std::string_view method, std::string_view path, const Query& query,
                             std::string_view reason = {});

  /// The coordinator's time, as its last answer had it; this machine's before the first one.
  WallTime now() const;
  /// The certificates of its connections; null without TLS.
  const PeerCertificate* certificates() const noexcept { return peer_.get(); }
  const Clock& clock() const noexcept { return clock_; }

 private:
  Server(const ServerPlace& place, std::string root, std::shared_ptr<asio::ssl::context> tls,
         std::unique_ptr<PeerCertificate> peer, net::HttpProxyRules proxies,
         std::string connect_to);

  net::HttpClientRequest request_of(std::string_view method, std::string_view path,
                                    const Query& query) const;
  using Answer = Result<net::HttpClientResponse>;
  Answer exchange(net::HttpClientRequest request, const std::string& body, std::string_view reason);
  Error error_of_exchange(const Error& error, bool changes) const;
  Result<json::value> judged(std::string_view path, const net::HttpClientResponse& answer,
                             bool changes = false);
  Result<> check_before_change(std::string_view path);
  Error no_coordinator(std::string_view path, const std::string& body) const;
  static Task<void> keep_answer(Async<net::HttpClientResponse> sent, Answer& to);
  void ask_each(std::string_view path, const std::vector<Query>& queries,
                std::vector<Answer>& answers);
  void run(Task<void> task);
  void note_date(const net::HttpHeaders& headers);

  class NamedResolver;

  const ServerPlace place_;
  const std::unique_ptr<PeerCertificate> peer_;  ///< null without TLS
  const std::string root_;  ///< of URLs: with the name in the certificate as its host
  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  net::DnsWorkers dns_;
  std::unique_ptr<net::HostResolver> resolver_;
  net::HttpClient http_;
  WallTime date_{};
  SteadyTime date_at_{};
  bool is_known_ = false;  ///< it has told its version
};

/// Chooses and opens the coordinator of a command line.
Result<std::unique_ptr<Server>> open_server(const ServerOptions& options);

}  // namespace concerto::tools
