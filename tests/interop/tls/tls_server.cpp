// A server of HTTP and gRPC over TLS, made of the transport alone, for the clients of run.py.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <boost/asio/signal_set.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/grpc_health.hpp>
#include <concerto/transport/grpc_reflection.hpp>
#include <concerto/transport/http_router.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "test_certificates.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::seconds grace{5};

/// Writes ca.pem, server.pem, server.key, and a certificate that others certify as stranger.pem.
TlsServerFiles write_files(const std::filesystem::path& directory) {
  const auto write = [&directory](const char* name, const std::string& text) {
    const std::string path = directory / name;
    std::ofstream{path} << text;
    return path;
  };
  const test::Certificate authority = test::make_authority("test authority");
  const test::Certificate server =
      test::make_server_certificate(authority, "DNS:localhost,IP:127.0.0.1");
  write("ca.pem", authority.pem());
  write("stranger.pem", test::make_authority("another authority").pem());
  return {write("server.pem", server.pem()), write("server.key", server.key_pem()), {}};
}

Task<HttpResponse> echo(HttpRequest request) {
  co_return text_response(200, std::move(request.body));
}

Task<GrpcReply> echo_call(GrpcRequest request) {
  co_return GrpcReply::success(std::move(request.message));
}

class Program {
 public:
  explicit Program(const std::shared_ptr<asio::ssl::context>& tls)
      : http_(io_.get_executor(), timers_, handler(), http_options(tls)),
        grpc_(io_.get_executor(), timers_, grpc_options(tls)),
        http_listener_(io_.get_executor(), timers_, {&http_}),
        grpc_listener_(io_.get_executor(), timers_, {&grpc_}) {
    health_.register_on(grpc_);
    health_.set("", ServingStatus::serving);
    reflection_.register_on(grpc_);
    grpc_.add_unary("/concerto.test.Echo/Echo", echo_call);
  }

  /// Serves until SIGTERM.
  Result<> run() {
    const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
    CONCERTO_CHECK(http_listener_.listen(any_port));
    CONCERTO_CHECK(grpc_listener_.listen(any_port));
    std::cout << "HTTP " << http_listener_.address().port() << " gRPC "
              << grpc_listener_.address().port() << std::endl;
    asio::signal_set signals(io_, SIGTERM);
    signals.async_wait([this](const error_code&, int) { group_.spawn(stop()); });
    io_.run();
    std::cout << "failed handshakes: HTTP " << http_.probe().failed_handshake_count << " gRPC "
              << grpc_.probe().failed_handshake_count << std::endl;
    return ok();
  }

 private:
  HttpHandler handler() {
    router_.add("POST", "/echo", echo);
    return router_.handler();
  }

  static HttpServerOptions http_options(const std::shared_ptr<asio::ssl::context>& tls) {
    HttpServerOptions options;
    options.tls = tls;
    return options;
  }

  static GrpcServerOptions grpc_options(const std::shared_ptr<asio::ssl::context>& tls) {
    GrpcServerOptions options;
    options.tls = tls;
    return options;
  }

  Task<void> stop() {
    http_listener_.close();
    grpc_listener_.close();
    health_.close();
    const SteadyTime deadline = timers_.now() + grace;
    co_await http_.drain(deadline);
    co_await grpc_.drain(deadline);
    timers_.disarm();
  }

  asio::io_context io_{1};
  SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  Router router_;
  HttpServer http_;
  GrpcHealth health_{io_.get_executor()};
  GrpcReflection reflection_{{"grpc.health.v1.Health"}};
  GrpcServer grpc_;
  Listener http_listener_;
  Listener grpc_listener_;
  TaskGroup group_{io_.get_executor()};
};

int run(const std::filesystem::path& directory) {
  const auto tls = make_tls_server_context(write_files(directory));
  if (!tls) {
    std::cerr << tls.error().detail << '\n';
    return 1;
  }
  const Result<> served = Program(*tls).run();
  if (!served) std::cerr << served.error().detail << '\n';
  return served ? 0 : 1;
}

}  // namespace
}  // namespace concerto::net

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tls_server <directory for certificates>\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  return concerto::net::run(argv[1]);
}
