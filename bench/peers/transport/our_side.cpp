#include <future>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "load.hpp"

namespace concerto::bench {
namespace {

namespace ip = asio::ip;

Task<net::GrpcReply> answer(net::GrpcRequest request) {
  if (request.message.size() != request_bytes) {
    co_return net::GrpcReply::failure(net::GrpcCode::invalid_argument, "unexpected size");
  }
  co_return net::GrpcReply::success(std::string(reply_bytes, 'r'));
}

class OurLoadServer final : public LoadServer {
 public:
  OurLoadServer() : timers_(io_.get_executor(), clock_), server_(io_.get_executor(), timers_) {
    server_.add_unary(method_path, answer);
    listener_ = std::make_unique<net::Listener>(io_.get_executor(), timers_,
                                                std::vector<net::ConnectionServer*>{&server_});
    if (auto started = listener_->listen({ip::address_v4::loopback(), 0}); !started) {
      throw std::runtime_error(started.error().detail);
    }
    thread_ = std::thread([this] { io_.run(); });
  }

  ~OurLoadServer() override {
    std::promise<void> done;
    asio::co_spawn(io_, stop(), [&done](const std::exception_ptr&) { done.set_value(); });
    done.get_future().wait();
    thread_.join();
  }

  std::uint16_t port() const override { return listener_->address().port(); }

 private:
  Task<void> stop() {
    listener_->close();
    co_await server_.drain(clock_.steady_now());
  }

  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_;
  net::GrpcServer server_;
  std::unique_ptr<net::Listener> listener_;
  std::thread thread_;
};

class OurLoadClient final : public LoadClient {
 public:
  explicit OurLoadClient(std::uint16_t port)
      : timers_(io_.get_executor(), clock_),
        addresses_({net::Address(ip::address_v4::loopback(), port)}),
        channel_(io_.get_executor(), timers_, random_, addresses_) {}

  std::size_t run(std::size_t calls, std::size_t streams) override {
    left_ = calls;
    good_ = 0;
    io_.restart();
    TaskGroup callers(io_.get_executor());
    for (std::size_t i = 0; i < streams; ++i) callers.spawn(call_in_turn());
    while (callers.size() > 0) io_.run_one();
    return good_;
  }

 private:
  Task<void> call_in_turn() {
    while (left_ > 0) {
      --left_;
      net::GrpcMetadata metadata;
      const net::GrpcReply reply =
          co_await channel_.unary(method_path, std::string(request_bytes, 'q'), metadata,
                                  clock_.steady_now() + std::chrono::seconds(30));
      if (reply.ok() && reply.message.size() == reply_bytes) ++good_;
    }
  }

  asio::io_context io_{1};
  net::SystemClock clock_;
  net::SystemRandom random_;
  Timers timers_;
  net::StaticAddresses addresses_;
  net::GrpcChannel channel_;
  std::size_t left_ = 0;
  std::size_t good_ = 0;
};

}  // namespace

std::unique_ptr<LoadServer> make_our_server() {
  return std::make_unique<OurLoadServer>();
}

std::unique_ptr<LoadClient> make_our_client(std::uint16_t port) {
  return std::make_unique<OurLoadClient>(port);
}

}  // namespace concerto::bench
