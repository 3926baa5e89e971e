#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

/// gRPC C++ as the peer, with messages of raw bytes.
namespace concerto::test {

inline grpc::ByteBuffer to_buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

inline std::string to_string(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string bytes;
  for (const auto& slice : slices) bytes.append(slice.begin(), slice.end());
  return bytes;
}

/// Returns every message, and the metadata whose names begin with `x-`. `/peer.Peer/Abort` ends
/// with ABORTED; `/peer.Peer/Never` ends only when it is cancelled.
class GrpcPeerServer {
 public:
  explicit GrpcPeerServer(int streams_max = 1000) : service_(*this) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams_max);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("gRPC's server does not start");
  }
  ~GrpcPeerServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

  std::atomic<int> started = 0;
  std::atomic<int> cancelled = 0;
  /// Time from the start of the last call to its deadline.
  std::atomic<std::int64_t> deadline_ms = 0;

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call(GrpcPeerServer& server, grpc::GenericCallbackServerContext& context)
        : server_(server), method_(context.method()) {
      const auto left = context.deadline() - std::chrono::system_clock::now();
      server_.deadline_ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
      for (const auto& [name, value] : context.client_metadata()) {
        const std::string key(name.data(), name.size());
        if (!key.starts_with("x-")) continue;
        context.AddInitialMetadata(key, std::string(value.data(), value.size()));
        context.AddTrailingMetadata(key, std::string(value.data(), value.size()));
      }
      ++server_.started;
      if (method_ == "/peer.Peer/Abort") {
        Finish({grpc::StatusCode::ABORTED, "no money: 100% \xC3\xA9"});
      } else if (method_ != "/peer.Peer/Never") {
        StartRead(&message_);
      }
    }

   private:
    void OnReadDone(bool good) override {
      if (good) return StartWrite(&message_);
      Finish(grpc::Status::OK);
    }
    void OnWriteDone(bool good) override {
      if (good) return StartRead(&message_);
      Finish({grpc::StatusCode::UNKNOWN, "write failed"});
    }
    void OnCancel() override {
      ++server_.cancelled;
      if (method_ == "/peer.Peer/Never") Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

    GrpcPeerServer& server_;
    const std::string method_;
    grpc::ByteBuffer message_;
  };

  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(GrpcPeerServer& server) : server_(server) {}
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
      return new Call(server_, *context);
    }

   private:
    GrpcPeerServer& server_;
  };

  int port_ = 0;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

/// A unary call of gRPC's client; `done` is set on another thread.
struct GrpcPeerCall {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer reply;
  grpc::Status status;
  std::atomic<bool> done = false;
};

/// A stream of gRPC's client that sends `count` messages, each after the answer to the one before.
class GrpcPeerStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  GrpcPeerStream(grpc::GenericStub& stub, const std::string& method, int count) : left_(count) {
    stub.PrepareBidiStreamingCall(&context, method, grpc::StubOptions(), this);
    StartCall();
    next();
  }

  grpc::ClientContext context;
  grpc::Status status;
  int answered = 0;
  std::atomic<bool> done = false;

 private:
  void next() {
    if (left_-- == 0) return StartWritesDone();
    sent_ = "message " + std::to_string(left_);
    message_ = to_buffer(sent_);
    StartWrite(&message_);
  }
  void OnWriteDone(bool good) override {
    if (good) StartRead(&reply_);
  }
  void OnReadDone(bool good) override {
    if (!good) return;
    if (to_string(reply_) == sent_) ++answered;
    next();
  }
  void OnDone(const grpc::Status& end) override {
    status = end;
    done = true;
  }

  int left_;
  std::string sent_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer reply_;
};

}  // namespace concerto::test
