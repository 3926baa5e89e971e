// A client of gRPC over TLS, made of the transport alone, for the servers of run.py. It makes each
// kind of call once and prints what came back; it ends at the first call that fails.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include <google/protobuf/wrappers.pb.h>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/address_source.hpp>
#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/system.hpp>

namespace concerto::net {
namespace {

using google::protobuf::BytesValue;

constexpr std::chrono::seconds time_limit{20};

struct Arguments {
  unsigned short port;
  std::string ca;
  std::string server_name;
  std::size_t echo_bytes;
};

class Program {
 public:
  Program(const Arguments& arguments, std::shared_ptr<asio::ssl::context> tls)
      : echo_bytes_(arguments.echo_bytes),
        addresses_({Address(asio::ip::address_v4::loopback(), arguments.port)}),
        channel_(io_.get_executor(), timers_, random_, addresses_,
                 options(arguments, std::move(tls))) {}

  /// True if all calls succeeded.
  bool run() {
    group_.spawn(call_all());
    io_.run();
    return went_well_;
  }

 private:
  static GrpcChannelOptions options(const Arguments& arguments,
                                    std::shared_ptr<asio::ssl::context> tls) {
    GrpcChannelOptions options;
    options.authority = arguments.server_name;
    options.tls = std::move(tls);
    options.tls_host = arguments.server_name;
    return options;
  }

  Task<void> call_all() {
    went_well_ = co_await check_health();
    if (went_well_) went_well_ = co_await call_unknown_method();
    if (went_well_) went_well_ = co_await echo();
    channel_.close();
    timers_.disarm();
  }

  Task<GrpcReply> call(std::string method, std::string message) {
    return channel_.unary(std::move(method), std::move(message), {}, timers_.now() + time_limit);
  }

  static bool fail(const GrpcReply& reply) {
    std::cerr << describe(reply.status) << '\n';
    return false;
  }

  Task<bool> check_health() {
    const GrpcReply reply = co_await call("/grpc.health.v1.Health/Check", {});
    if (!reply.ok()) co_return fail(reply);
    const bool serves = reply.message == std::string_view{"\x08\x01"};  // field 1 is SERVING
    std::cout << "health " << (serves ? "SERVING" : "unknown") << std::endl;
    co_return serves;
  }

  Task<bool> call_unknown_method() {
    const GrpcReply reply = co_await call("/concerto.test.Echo/None", {});
    if (reply.status.code != GrpcCode::unimplemented) co_return fail(reply);
    std::cout << "unknown method " << to_string(reply.status.code) << std::endl;
    co_return true;
  }

  Task<bool> echo() {
    BytesValue sent;
    sent.set_value(std::string(echo_bytes_, 'x'));
    const GrpcReply reply = co_await call("/concerto.test.Echo/Echo", sent.SerializeAsString());
    if (!reply.ok()) co_return fail(reply);
    BytesValue got;
    const bool is_same = got.ParseFromString(reply.message) && got.value() == sent.value();
    std::cout << "echo " << (is_same ? std::to_string(echo_bytes_) : "differs") << std::endl;
    co_return is_same;
  }

  const std::size_t echo_bytes_;
  bool went_well_ = false;
  asio::io_context io_{1};
  SystemClock clock_;
  SystemRandom random_;
  Timers timers_{io_.get_executor(), clock_};
  StaticAddresses addresses_;
  GrpcChannel channel_;
  TaskGroup group_{io_.get_executor()};
};

int run(const Arguments& arguments) {
  TlsClientFiles files;
  files.ca = arguments.ca;
  const auto tls = make_tls_client_context(files);
  if (!tls) {
    std::cerr << tls.error().detail << '\n';
    return 1;
  }
  return Program(arguments, *tls).run() ? 0 : 1;
}

}  // namespace
}  // namespace concerto::net

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: tls_client <port> <CA file> <server name> <bytes to echo>\n";
    return 2;
  }
  try {
    return concerto::net::run(
        {static_cast<unsigned short>(std::stoul(argv[1])), argv[2], argv[3], std::stoul(argv[4])});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
