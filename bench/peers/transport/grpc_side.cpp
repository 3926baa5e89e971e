#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include "load.hpp"

namespace concerto::bench {
namespace {

using grpc::ByteBuffer;

ByteBuffer bytes(std::size_t count, char fill) {
  const grpc::Slice slice(std::string(count, fill));
  return ByteBuffer(&slice, 1);
}

/// A unary callback method on raw bytes, registered as generated code does it.
class EchoService final : public grpc::Service {
 public:
  EchoService() {
    AddMethod(new grpc::internal::RpcServiceMethod(method_path,
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        0,
        new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
            [](grpc::CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* reply) {
              auto* reactor = context->DefaultReactor();
              if (request->Length() == request_bytes) {
                *reply = bytes(reply_bytes, 'r');
                reactor->Finish(grpc::Status::OK);
              } else {
                reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "unexpected size"});
              }
              return reactor;
            }));
  }
};

class GrpcServerSide final : public LoadServer {
 public:
  GrpcServerSide() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("gRPC's server does not start");
  }
  ~GrpcServerSide() override { server_->Shutdown(); }

  std::uint16_t port() const override { return static_cast<std::uint16_t>(port_); }

 private:
  int port_ = 0;
  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
};

class GrpcClientSide final : public LoadClient {
 public:
  explicit GrpcClientSide(std::uint16_t port)
      : stub_(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                  grpc::InsecureChannelCredentials())),
        request_(bytes(request_bytes, 'q')) {}

  std::size_t run(std::size_t calls, std::size_t streams) override {
    std::unique_lock lock(mutex_);
    left_ = calls;
    good_ = 0;
    running_ = std::min(streams, calls);
    const std::size_t callers = running_;
    lock.unlock();
    for (std::size_t i = 0; i < callers; ++i) (new Caller(*this))->next();
    lock.lock();
    ended_.wait(lock, [this] { return running_ == 0; });
    return good_;
  }

 private:
  /// Makes one call after the other, and ends itself.
  class Caller {
   public:
    explicit Caller(GrpcClientSide& client) : client_(client) {}

    void next() {
      if (!client_.take()) {
        delete this;
        return;
      }
      context_.emplace();
      context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      client_.stub_.UnaryCall(&*context_, method_path, grpc::StubOptions(), &client_.request_,
                              &reply_, [this](const grpc::Status& status) {
                                client_.count(status.ok() && reply_.Length() == reply_bytes);
                                next();
                              });
    }

   private:
    GrpcClientSide& client_;
    std::optional<grpc::ClientContext> context_;
    ByteBuffer reply_;
  };

  bool take() {
    const std::lock_guard lock(mutex_);
    if (left_ > 0) {
      --left_;
      return true;
    }
    if (--running_ == 0) ended_.notify_one();
    return false;
  }

  void count(bool good) {
    const std::lock_guard lock(mutex_);
    if (good) ++good_;
  }

  grpc::GenericStub stub_;
  ByteBuffer request_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t left_ = 0;
  std::size_t good_ = 0;
  std::size_t running_ = 0;
};

}  // namespace

std::unique_ptr<LoadServer> make_grpc_server() {
  return std::make_unique<GrpcServerSide>();
}

std::unique_ptr<LoadClient> make_grpc_client(std::uint16_t port) {
  return std::make_unique<GrpcClientSide>(port);
}

}  // namespace concerto::bench
