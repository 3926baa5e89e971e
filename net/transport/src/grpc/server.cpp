#include <utility>

#include <concerto/base/io_thread.hpp>
#include <concerto/transport/grpc_server.hpp>

#include "grpc/server_core.hpp"

namespace concerto::net {

GrpcServer::GrpcServer(Executor executor, Timers& timers, GrpcServerOptions options)
    : core_(std::make_shared<detail::ServerCore>(std::move(executor), timers, options)) {}

GrpcServer::~GrpcServer() {
  if (core_->handlers().size() == 0) return;
  const Executor executor = core_->executor();
  const auto has_drained = std::make_shared<bool>(false);
  asio::co_spawn(executor, core_->drain(core_->timers().now()),
                 [has_drained](const std::exception_ptr&) { *has_drained = true; });
  const auto cancel = [this] { core_->handlers().cancel(); };
  concerto::run_until(
      {&executor, 1}, [has_drained] { return *has_drained; }, cancel);
}

void GrpcServer::add_unary(std::string method, GrpcUnaryHandler handler, GrpcHeadCheck check) {
  core_->add(
      {std::move(method), std::move(handler), nullptr, StreamKind::working, std::move(check)});
}

void GrpcServer::add_stream(std::string method, GrpcStreamHandler handler, StreamKind kind) {
  core_->add({std::move(method), nullptr, std::move(handler), kind, nullptr});
}

bool GrpcServer::offer(AcceptedSocket& socket) {
  return core_->offer(socket);
}

void GrpcServer::ask_for_room() {
  core_->ask_for_room();
}

std::size_t GrpcServer::connection_count() const noexcept {
  return core_->connection_count();
}

std::size_t GrpcServer::call_count() const noexcept {
  return core_->handlers().size();
}

const GrpcServerProbe& GrpcServer::probe() const noexcept {
  return core_->probe();
}

void GrpcServer::set_limits(const GrpcServerOptions& options) {
  core_->set_limits(options);
}

Task<void> GrpcServer::drain(SteadyTime deadline) {
  return core_->drain(deadline);
}

bool GrpcRequest::cancelled() const noexcept {
  return call != nullptr && call->is_cancelled();
}

void GrpcRequest::on_cancelled(std::function<void()> callback) const {
  if (call != nullptr) call->set_on_cancelled(std::move(callback));
}

void GrpcRequest::let_in() const noexcept {
  if (call != nullptr) call->let_in();
}

std::string_view GrpcServerStream::method() const noexcept {
  return call_.method();
}

const asio::ip::tcp::endpoint& GrpcServerStream::peer() const noexcept {
  return call_.peer();
}

const std::shared_ptr<const PeerCertificate>& GrpcServerStream::certificate() const noexcept {
  return call_.certificate();
}

const GrpcMetadata& GrpcServerStream::metadata() const noexcept {
  return call_.metadata();
}

SteadyTime GrpcServerStream::deadline() const noexcept {
  return call_.deadline();
}

bool GrpcServerStream::cancelled() const noexcept {
  return call_.is_cancelled();
}

void GrpcServerStream::on_cancelled(std::function<void()> callback) {
  call_.set_on_cancelled(std::move(callback));
}

Task<std::optional<std::string>> GrpcServerStream::read() {
  return call_.read();
}

Task<bool> GrpcServerStream::write(std::string message) {
  return call_.write_reply(std::move(message));
}

GrpcMetadata& GrpcServerStream::reply_metadata() noexcept {
  return call_.reply_metadata();
}

GrpcMetadata& GrpcServerStream::trailers() noexcept {
  return call_.trailers();
}

}  // namespace concerto::net
