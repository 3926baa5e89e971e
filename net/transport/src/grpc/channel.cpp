#include <utility>

#include <concerto/transport/grpc_channel.hpp>

#include "grpc/channel_core.hpp"

namespace concerto::net {

using detail::ChannelCore;
using detail::ClientCall;
using detail::ClientCallPtr;

GrpcChannel::GrpcChannel(Executor executor, Timers& timers, RandomSource& random,
                         AddressSource& addresses, GrpcChannelOptions options)
    : core_(std::make_shared<ChannelCore>(std::move(executor), timers, random, addresses,
                                          std::move(options))) {}

GrpcChannel::~GrpcChannel() {
  close();
}

Task<GrpcReply> GrpcChannel::unary(std::string method, std::string message, GrpcMetadata metadata,
                                   SteadyTime deadline, GrpcAnswer answer) {
  const auto kind =
      answer == GrpcAnswer::status ? ClientCall::Kind::status : ClientCall::Kind::unary;
  ClientCallPtr call(new ClientCall(core_, kind, std::move(method), std::move(metadata), deadline));
  call->set_message(std::move(message));
  return detail::run_unary(std::move(call));
}

std::unique_ptr<GrpcClientStream> GrpcChannel::open_stream(std::string method,
                                                           GrpcMetadata metadata,
                                                           SteadyTime deadline) {
  const ClientCallPtr call(new ClientCall(core_, ClientCall::Kind::stream, std::move(method),
                                          std::move(metadata), deadline));
  auto stream = std::make_unique<GrpcClientStream>(call.get());
  call->start();
  return stream;
}

void GrpcChannel::set_tls(std::shared_ptr<boost::asio::ssl::context> tls) {
  core_->set_tls(std::move(tls));
}

void GrpcChannel::close() {
  core_->close();
}

std::size_t GrpcChannel::connection_count() const noexcept {
  return core_->connection_count();
}

std::size_t GrpcChannel::call_count() const noexcept {
  return core_->call_count();
}

GrpcClientStream::GrpcClientStream(ClientCall* call) : call_(call) {
  intrusive_ptr_add_ref(static_cast<http2::Stream*>(call_));
}

GrpcClientStream::~GrpcClientStream() {
  call_->cancel();
  intrusive_ptr_release(static_cast<http2::Stream*>(call_));
}

Task<bool> GrpcClientStream::write(std::string message) {
  return call_->write(std::move(message));
}

void GrpcClientStream::writes_done() {
  call_->writes_done();
}

Task<std::optional<std::string>> GrpcClientStream::read() {
  return call_->read();
}

Task<GrpcReply> GrpcClientStream::finish() {
  const ClientCallPtr call(call_);
  call->drop_input();
  if (!co_await call->wait_end()) call->cancel();
  co_return call->take_reply();
}

void GrpcClientStream::cancel() {
  call_->cancel();
}

}  // namespace concerto::net
